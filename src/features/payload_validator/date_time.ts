/** The format `date-time` as payloads may have it, which is more than RFC 3339 (spec 02 §1.8). */

interface Time {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly milliseconds: number;
  /** Minutes east of Greenwich; undefined without a zone. */
  readonly offsetMinutes: number | undefined;
}

const datePattern = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const timePattern = /^([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})?$/;
const rfc3339Pattern =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$/;
const msPerMinute = 60_000;

/** Is the text a full timestamp with its zone, a date alone, or a time with or without a zone? */
export function isDateTime(text: string): boolean {
  const separator = text.indexOf("T");
  if (separator < 0) return parseDate(text) !== undefined || parseTime(text) !== undefined;
  return parseDate(text.slice(0, separator)) !== undefined &&
    parseTime(text.slice(separator + 1))?.offsetMinutes !== undefined;
}

/**
 * The moment meant by a text that passes `isDateTime`, in RFC 3339: as it stands if it is that already, a date
 * alone as midnight UTC. Undefined if it names no moment (a time without a date), or one outside years 0 to 9999.
 */
export function toRfc3339(text: string): string | undefined {
  const [datePart = "", timePart = "00:00:00Z"] = text.split("T");
  const midnightMs = parseDate(datePart);
  const time = parseTime(timePart);
  if (midnightMs === undefined || time?.offsetMinutes === undefined) return undefined;
  if (rfc3339Pattern.test(text)) return text;
  const minutes = time.hour * 60 + time.minute - time.offsetMinutes;
  const moment = new Date(midnightMs + minutes * msPerMinute + time.second * 1000 + time.milliseconds);
  const year = moment.getUTCFullYear();
  return year < 0 || year > 9999 ? undefined : moment.toISOString();
}

/** Midnight UTC in milliseconds; undefined if there is no such day. */
function parseDate(text: string): number | undefined {
  const [, year, month, day] = datePattern.exec(text) ?? [];
  if (year === undefined) return undefined;
  const date = new Date(0);
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return exists ? date.getTime() : undefined;
}

function parseTime(text: string): Time | undefined {
  const [matched, hourText, minuteText, secondText, fraction = "", zone] = timePattern.exec(text) ?? [];
  if (matched === undefined) return undefined;
  const [hour, minute, second] = [Number(hourText), Number(minuteText), Number(secondText)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const offsetMinutes = zone === undefined ? undefined : parseZone(zone);
  if (zone !== undefined && offsetMinutes === undefined) return undefined;
  return { hour, minute, second, milliseconds: Number(fraction.slice(0, 3).padEnd(3, "0")), offsetMinutes };
}

function parseZone(zone: string): number | undefined {
  if (zone === "Z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
  if (hours > 24 || minutes > 60) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

/** Checks bodies against the schemas of the API reference. */

import { Ajv, type ValidateFunction } from "ajv";
import draft06 from "ajv-draft-06" with { type: "json" };
import { apiSchemas } from "./api_reference.ts";

/** Compiles a schema when it is first used: compiling all of them would take longer than everything else at start. */
export class SchemaValidator {
  #ajv: Ajv | undefined;

  /**
   * Problems of a value, one a line; undefined when it is valid. Fills in the schema's defaults.
   * @param id `$id` of a schema of the reference
   */
  problems(id: string, value: unknown): string | undefined {
    const validate = this.#compiled(id);
    if (validate(value)) return undefined;
    return (validate.errors ?? [])
      .map(({ instancePath, message, params }) =>
        `  * data${instancePath.replaceAll("/", ".")} ${message ?? "is invalid"}${detail(params)}`
      )
      .join("\n");
  }

  #compiled(id: string): ValidateFunction {
    this.#ajv ??= createAjv();
    const validate = this.#ajv.getSchema(id);
    if (validate === undefined) throw new Error(`Cannot validate: the reference has no schema ${id}`);
    return validate;
  }
}

function createAjv(): Ajv {
  const ajv = new Ajv({ useDefaults: true, allErrors: true, strict: false, validateFormats: true });
  ajv.addMetaSchema(draft06);
  for (const [name, test] of Object.entries(formats)) ajv.addFormat(name, test);
  for (const schema of apiSchemas) ajv.addSchema(schema);
  return ajv;
}

function detail(params: Record<string, unknown>): string {
  const named = params["additionalProperty"] ?? params["allowedValues"];
  return named === undefined ? "" : `: ${JSON.stringify(named)}`;
}

/** The formats the reference uses. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  "date-time": (text) =>
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text)),
  "uri": (text) => /^[a-z][a-z0-9+.-]*:\S*$/i.test(text),
  "hostname": (text) => /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text),
  "ipv4": (text) => /^(\d{1,3}\.){3}\d{1,3}$/.test(text),
  "ipv6": (text) => /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text),
  "email": (text) => /^[^@\s]+@[^@\s]+$/.test(text),
  "regex": isRegularExpression,
};

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}

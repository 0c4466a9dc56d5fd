/** Which build of the program this is, and where something that not every build has exists (spec 01 §1). */

export type EngineName = "insecure" | "multiuser";

/** The names the field uses for operating systems in metadata (spec 01 §3.6). */
export type OperatingSystem = "linux" | "darwin" | "freebsd" | "windows";

/** What a build is made for. There is no insecure engine on Windows. */
export interface Build {
  readonly engine: EngineName;
  readonly os: OperatingSystem;
}

/** The builds that have something: both lists must name the build; an absent list names all. */
export interface Where {
  readonly engines?: readonly EngineName[];
  readonly systems?: readonly OperatingSystem[];
}

const systemNames: Readonly<Record<OperatingSystem, string>> = {
  linux: "Linux",
  darwin: "macOS",
  freebsd: "FreeBSD",
  windows: "Windows",
};

/** Whether `build` has what exists at `where`; an absent `where` is everywhere. */
export function existsOn(where: Where | undefined, build: Build): boolean {
  return (where?.engines?.includes(build.engine) ?? true) && (where?.systems?.includes(build.os) ?? true);
}

/** Words for a place, to follow "exists only": `with the multiuser engine on macOS`. */
export function describeWhere(where: Where): string {
  const engines = where.engines ? [`with the ${where.engines.join(" or ")} engine`] : [];
  const systems = where.systems ? [`on ${where.systems.map((os) => systemNames[os]).join(" or ")}`] : [];
  return [...engines, ...systems].join(" ");
}

/** Words for one build: `the insecure engine on Linux`. */
export function describeBuild(build: Build): string {
  return `the ${build.engine} engine on ${systemNames[build.os]}`;
}

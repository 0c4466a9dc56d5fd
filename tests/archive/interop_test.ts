import assert from "node:assert/strict";
import { attempt, listTree, withScene } from "./extraction.ts";

/** A command that packs the directory `tree` of the current directory into `archive`. */
interface Packer {
  readonly name: string;
  readonly format: string;
  readonly argv: readonly string[];
  /** What the format or the tool cannot hold. */
  readonly without?: readonly ("symlinks" | "hardlinks" | "pipes")[];
}

const pythonTar = (kind: string) =>
  `import tarfile; t = tarfile.open("archive", "w", format=tarfile.${kind}); t.add("tree"); t.close()`;
const pythonZip = `
import os, zipfile
z = zipfile.ZipFile("archive", "w", zipfile.ZIP_DEFLATED)
for folder, _, files in os.walk("tree"):
    z.write(folder)
    for name in files:
        z.write(os.path.join(folder, name))
`;
const gnuFormats = ["v7", "oldgnu", "gnu", "ustar", "posix"];
const sparseKinds = ["0.0", "0.1", "1.0"];
const compressions = [["gz", "-z"], ["bz2", "-j"], ["xz", "-J"], ["zst", "--zstd"]] as const;

const packers: readonly Packer[] = [
  ...gnuFormats.map((format) => ({
    name: `GNU tar, ${format}`,
    format: "tar",
    argv: ["tar", "-cf", "archive", `--format=${format}`, "tree"],
    ...(format === "v7" && { without: ["pipes"] as const }),
  })),
  ...sparseKinds.map((version) => ({
    name: `GNU tar, sparse files of pax ${version}`,
    format: "tar",
    argv: ["tar", "-cSf", "archive", "--format=posix", `--sparse-version=${version}`, "tree"],
  })),
  { name: "GNU tar, sparse files of its own kind", format: "tar", argv: ["tar", "-cSf", "archive", "tree"] },
  ...compressions.map(([format, option]) => ({
    name: `GNU tar, ${format}`,
    format: `tar.${format}`,
    argv: ["tar", option, "-cf", "archive", "tree"],
  })),
  { name: "GNU tar, lz4", format: "tar.lz4", argv: ["tar", "-I", "lz4", "-cf", "archive", "tree"] },
  ...["ustar", "pax", "gnutar"].map((format) => ({
    name: `bsdtar, ${format}`,
    format: "tar",
    argv: ["bsdtar", "-cf", "archive", "--format", format, "tree"],
  })),
  {
    name: "bsdtar, zip",
    format: "zip",
    argv: ["bsdtar", "-cf", "archive", "--format", "zip", "tree"],
    without: ["hardlinks", "pipes"],
  },
  { name: "zip", format: "zip", argv: ["zip", "-qry", "archive", "tree"], without: ["hardlinks", "pipes"] },
  {
    name: "7z, zip",
    format: "zip",
    argv: ["7z", "a", "-tzip", "-bd", "archive", "tree"],
    without: ["symlinks", "hardlinks", "pipes"],
  },
  ...["PAX_FORMAT", "GNU_FORMAT"].map((kind) => ({
    name: `Python, ${kind}`,
    format: "tar",
    argv: ["python3", "-c", pythonTar(kind)],
  })),
  {
    name: "Python, zip",
    format: "zip",
    argv: ["python3", "-c", pythonZip],
    without: ["symlinks", "hardlinks", "pipes"],
  },
];

for (const packer of packers) {
  Deno.test({
    name: `unarchive() gives back the tree that ${packer.name} packed`,
    ignore: !isInstalled(packer.argv[0] ?? ""),
    async fn() {
      await withScene(async ({ root, destination }) => {
        plant(`${root}/tree`, packer);
        await run(packer.argv, root);
        const archive = ["archive", "archive.zip"].map((name) => `${root}/${name}`).find(exists) ?? "";
        const outcome = await attempt({ source: archive, destination, format: packer.format, times: true });
        assert.ok(!(outcome instanceof Error), String(outcome));
        assert.deepEqual(listTree(destination), expected(root));
        const packed = Deno.statSync(`${root}/tree/run`).mtime?.getTime() ?? 0;
        const unpacked = Deno.statSync(`${destination}/tree/run`).mtime?.getTime() ?? 0;
        assert.ok(Math.abs(packed - unpacked) <= 2000, `${packed} became ${unpacked}`);
      });
    },
  });
}

/** Some tools add the ending themselves. */
function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The tree as it must come out: pipes become empty files. */
function expected(root: string): string[] {
  return listTree(`${root}/tree`).map((line) => `tree/${line.replace(/ special$/, ' ""')}`).concat(
    "tree/ 0755",
  ).sort();
}

function plant(tree: string, packer: Packer): void {
  const missing = new Set<string>(packer.without ?? []);
  Deno.mkdirSync(`${tree}/sub/deeper`, { recursive: true });
  Deno.writeTextFileSync(`${tree}/run`, "#!/bin/sh\n");
  Deno.chmodSync(`${tree}/run`, 0o755);
  Deno.writeTextFileSync(`${tree}/sub/secret`, "secret", { mode: 0o600 });
  Deno.writeTextFileSync(`${tree}/sub/empty`, "");
  if (!packer.argv.includes("--format=v7")) {
    Deno.writeTextFileSync(`${tree}/sub/${"long".repeat(22)}`, "long name");
    Deno.writeTextFileSync(`${tree}/sub/deeper/ünïcödé`, "name");
  }
  Deno.writeFileSync(`${tree}/holes`, new Uint8Array([1]));
  Deno.truncateSync(`${tree}/holes`, 3_000_000);
  if (!missing.has("symlinks")) Deno.symlinkSync("sub/secret", `${tree}/link`);
  if (!missing.has("hardlinks")) Deno.linkSync(`${tree}/sub/secret`, `${tree}/sub/same`);
  if (!missing.has("pipes")) new Deno.Command("mkfifo", { args: ["-m", "644", `${tree}/pipe`] }).outputSync();
}

async function run(argv: readonly string[], cwd: string): Promise<void> {
  const [program = "", ...args] = argv;
  const { success, stderr } = await new Deno.Command(program, { args, cwd, env: { LC_ALL: "C.UTF-8" } })
    .output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

function isInstalled(program: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).outputSync()
    .success;
}

Deno.test("unarchive() leaves holes in sparse files", async () => {
  await withScene(async ({ root, destination }) => {
    Deno.writeFileSync(`${root}/holes`, new Uint8Array([1]));
    Deno.truncateSync(`${root}/holes`, 50_000_000);
    await run(["tar", "-cSf", "archive", "--format=posix", "holes"], root);
    const outcome = await attempt({ source: `${root}/archive`, destination, format: "tar" });
    assert.deepEqual(outcome, { entries: 1, bytes: 50_000_000 });
    const { size, blocks } = Deno.statSync(`${destination}/holes`);
    assert.equal(size, 50_000_000);
    assert.ok((blocks ?? Infinity) < 1000, `${blocks} blocks`);
  });
});

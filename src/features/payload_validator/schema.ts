/** The keywords of JSON Schema that the payload schemas use (spec 02 §1). */

/** What a place in the schema says about the value there. `$ref` makes its siblings void. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "boolean";
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false | Schema;
  readonly dependencies?: Readonly<Record<string, readonly string[]>>;
}

/** A whole document: `$ref` is always `#/definitions/<name>`. */
export interface SchemaDocument extends Schema {
  readonly definitions?: Readonly<Record<string, Schema>>;
}

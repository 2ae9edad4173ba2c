/** TypeBox as all of src/ takes it: the build puts its 200 modules, which every command would look for, into this one file. */
export { Type } from '@sinclair/typebox';
export type { Static, TObject, TProperties, TSchema } from '@sinclair/typebox';

// What esbuild makes of an import that is no script.
declare module "*.css"

import { f } from "./helper.mjs";
import fs from "fs";
console.log(f(2), import.meta.url.endsWith("/main.js"), typeof require, fs.existsSync("main.js"), await Promise.resolve(5));

import { g } from "./helper.mjs";

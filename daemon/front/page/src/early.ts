// Runs before the first paint, so that nobody sees a flash of the other theme. Must stay tiny.
import {readSettings} from "./stored_settings"

const {theme, language} = readSettings()
if (theme != "system") document.documentElement.dataset["theme"] = theme
document.documentElement.lang = language

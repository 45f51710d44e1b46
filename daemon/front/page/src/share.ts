// Sharing: a room, or a copy of the files as a link.
import {h} from "./dom"
import {t} from "./i18n"
import type {WordKey} from "./i18n"
import {icon} from "./icons"
import {notify, openDialog} from "./overlays"
import {MAX_LINK, toFragment} from "./snippet"
import type {Workspace} from "./workspace"

const ROOMS = "/api/v1/ws/room/", PAGE = "/api/v1/ws/demo"

/** Hard to guess, easy to read out. */
function freshRoom(): string {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789"
  const random = crypto.getRandomValues(new Uint8Array(15))
  return [...random].map((byte, at) => (at && at % 5 == 0 ? "-" : "") + letters[byte % letters.length]).join("")
}

export function roomOfAddress(): string | null {
  return location.pathname.startsWith(ROOMS) ? decodeURIComponent(location.pathname.slice(ROOMS.length)) : null
}

function linkField(id: string, label: WordKey, link: string): HTMLElement {
  const input = h("input", {id, class: "link-input", readonly: true, value: link, tLabel: label,
    on: {focus: () => input.select()}})
  const copy = h("button", {type: "button", class: "quiet-button", "data-copies": id, on: {click: async () => {
    input.select()
    try {
      await navigator.clipboard.writeText(link)
    } catch {
      document.execCommand("copy") // no permission, or no secure origin
    }
    words.textContent = t("copied")
  }}}, icon("copy"))
  const words = h("span", {t: "copy"})
  copy.append(words)
  return h("div", {class: "link-row"}, input, copy)
}

export function openShare(workspace: Workspace): void {
  const {session} = workspace
  const room = h("section", {class: "share-part"})
  const drawRoom = () => {
    room.replaceChildren(h("h3", {t: "share_room"}), h("p", {class: "soft", t: "share_room_text"}),
      session.room ? linkField("room-link", "room_link", location.origin + ROOMS + session.room)
        : h("button", {type: "button", id: "make-room", class: "solid-button", t: "make_room", on: {click: () => {
          const id = freshRoom()
          workspace.share(id)
          history.pushState(null, "", ROOMS + id)
          drawRoom()
          room.querySelector("input")?.focus()
          notify(t("room_opened"))
        }}}))
  }
  drawRoom()
  const copy = h("section", {class: "share-part"}, h("h3", {t: "share_snippet"}), h("p", {class: "soft", t: "share_snippet_text"}))
  openDialog("share_title", "share-dialog", room, copy)
  void toFragment({files: workspace.texts(), shown: workspace.shown?.path ?? ""}).then(fragment => {
    copy.append(fragment.length > MAX_LINK ? h("p", {class: "soft", t: "snippet_too_large"})
      : linkField("snippet-link", "snippet_link", `${location.origin}${PAGE}#s=${fragment}`))
  }, () => copy.append(h("p", {class: "soft", t: "snippet_too_large"})))
}

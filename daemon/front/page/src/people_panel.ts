// Who is here: names in their colours, where they are, and the call's buttons.
import type {Call} from "./call"
import {h, iconButton, replaceChildren} from "./dom"
import {icon} from "./icons"
import {t} from "./i18n"
import type {Presence} from "./presence"
import type {Person} from "./protocol"
import type {Session} from "./session"
import {settings} from "./settings"

const COLORS = 8, AVATARS = 4

/** The first letter of a name, as a reader counts letters. */
function initial(name: string): string {
  const letters = [...new Intl.Segmenter().segment(name.trim())]
  return (letters[0]?.segment ?? "?").toUpperCase()
}

export class PeoplePanel {
  readonly #list = h("ul", {id: "people", class: "people-list", tLabel: "people"})
  readonly #calls = h("div", {class: "call-buttons"})

  constructor(readonly parent: HTMLElement, readonly avatars: HTMLElement, readonly session: Session,
    readonly presence: Presence, readonly call: Call, readonly goTo: (path: string, head: number) => void) {
    parent.append(h("header", {class: "side-head"}, h("h2", {t: "people"}), h("span", {class: "space"}), this.#calls),
      this.#list)
    session.on("members", () => this.#draw())
    presence.on("moved", () => this.#drawPlaces())
    call.on("changed", () => this.#draw())
    settings.on("change", names => { if (names.includes("language")) this.#draw() })
    this.#draw()
  }

  #draw(): void {
    const {members, connectionId, joined} = this.session
    this.parent.hidden = !this.session.room
    const people = [...members.values()].sort((a, b) =>
      Number(b.connection_id == connectionId) - Number(a.connection_id == connectionId) || a.name.localeCompare(b.name))
    // While we type our own name the list stays as it is.
    if (document.activeElement?.id != "your-name") replaceChildren(this.#list, ...people.map(person => this.#item(person)))
    replaceChildren(this.avatars, ...people.slice(0, AVATARS).map(person => this.#avatar(person)),
      people.length > AVATARS && h("span", {class: "avatar is-more"}, `+${people.length - AVATARS}`))
    this.avatars.hidden = people.length < 2
    this.#drawCalls(joined)
    this.#drawPlaces()
  }

  #drawCalls(isIn: boolean): void {
    const {call} = this
    const toggle = (name: Parameters<typeof iconButton>[0], word: Parameters<typeof iconButton>[1], id: string,
      act: () => void, isOn = false) =>
      iconButton(name, word, {id, class: `icon-button${isOn ? " is-on" : ""}`, on: {click: act}})
    const buttons = !isIn ? []
      : !call.isOn ? [toggle("mic", call.others ? "call_join" : "call_voice", "call-voice", () => void call.join(),
        call.others > 0), toggle("screen", "call_screen", "call-screen", () => void call.shareScreen())]
      : [toggle(call.isMuted ? "mic_off" : "mic", call.isMuted ? "call_unmute" : "call_mute", "call-mute",
        () => call.mute(!call.isMuted), !call.isMuted),
      toggle("screen", call.isSharing ? "call_screen_stop" : "call_screen", "call-screen",
        () => void (call.isSharing ? call.stopScreen() : call.shareScreen()), call.isSharing),
      toggle("hang_up", "call_leave", "call-leave", () => call.leave())]
    replaceChildren(this.#calls, ...buttons)
  }

  #avatar(person: Person): HTMLElement {
    return h("span", {class: `avatar person-${person.color % COLORS}`, title: person.name, "aria-hidden": "true"},
      initial(person.name))
  }

  #item(person: Person): HTMLElement {
    const isSelf = person.connection_id == this.session.connectionId
    const name = isSelf ? this.#nameInput(person)
      : h("button", {type: "button", class: "person-name", title: t("go_to_person", {name: person.name}),
        on: {click: () => {
          const place = this.presence.places.get(person.connection_id)
          if (place) this.goTo(place.path, place.head)
        }}}, person.name)
    return h("li", {class: "person", "data-connection": person.connection_id}, this.#avatar(person),
      h("div", {class: "person-words"}, name,
        h("span", {class: "person-place"}, isSelf ? this.#role(person) : "")),
      this.call.isInCall(person.connection_id) && h("span", {class: "person-call", title: t("call_in")}, icon("mic")))
  }

  #role(person: Person): string {
    return `${t("you")} · ${t(`role_${person.role}`)}`
  }

  #nameInput(person: Person): HTMLElement {
    const input = h("input", {id: "your-name", class: "name-input", value: person.name, maxlength: "40", tLabel: "your_name",
      autocomplete: "off", spellcheck: "false", on: {
        blur: () => queueMicrotask(() => this.#draw()),
        change: () => { if (input.value.trim()) this.session.rename(input.value.trim()) },
        keydown: event => { if (event.key == "Enter" && !event.isComposing) input.blur() },
      }})
    return input
  }

  #drawPlaces(): void {
    for (const item of this.#list.querySelectorAll<HTMLElement>(".person")) {
      const id = item.dataset["connection"] ?? ""
      if (id == this.session.connectionId) continue
      const place = this.presence.places.get(id), person = this.session.members.get(id)
      const where = item.querySelector(".person-place")
      if (where) where.textContent = place?.path ?? (person ? t(`role_${person.role}`) : "")
      item.classList.toggle("is-typing", !!place?.typing)
    }
  }
}

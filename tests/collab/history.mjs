// Playback: asks a daemon for all updates of a document since its beginning and makes its text of them.
import {ChangeSet, Text} from "@codemirror/state"

import {Client} from "./client.mjs"

/** Undefined when the history does not begin at the beginning, or has a gap. */
export function replay(server, room, path, version) {
  return new Promise((resolve, reject) => {
    let text = Text.empty, reached = 0
    const client = new Client({name: "history", room, server: () => server, opens: () => false,
      complain: what => reject(new Error(what))})
    const ask = () => client.ask({type: "doc_history", file_path: path, from: reached, to: version})
    const joined = client.on_room_joined
    client.on_room_joined = message => {
      joined.call(client, message)
      ask()
    }
    client.on_doc_history_chunk = message => {
      const good = message.version == reached
      for (const {changes} of good ? message.updates : []) {
        text = ChangeSet.fromJSON(changes).apply(text)
        reached++
      }
      if (good && message.more) return ask()
      client.drop("terminate")
      resolve(good && reached == version ? text.toString() : undefined)
    }
    client.open()
  })
}

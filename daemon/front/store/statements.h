// Every statement that the store uses while it serves, prepared once.
#pragma once

#include "daemon/front/store/sqlite.h"

namespace cloister::store {

struct Statements {
    explicit Statements(Database& database) : db(database) {}
    Database& db;

    Statement begin{db, "BEGIN IMMEDIATE"};
    Statement commit{db, "COMMIT"};

    Statement find_room{db, "SELECT id, used_ms, owner FROM rooms WHERE name = ?"};
    Statement count_rooms{db, "SELECT COUNT(*) FROM rooms"};
    Statement add_room{db, "INSERT INTO rooms (name, used_ms, owner, checksum)"
                           " VALUES (?, ?, ?, ?)"};
    Statement use_room{db, "UPDATE rooms SET used_ms = ?2, owner = ?3, checksum = ?4"
                           " WHERE id = ?1"};
    Statement old_rooms{db, "SELECT name FROM rooms WHERE used_ms < ? LIMIT ? OFFSET ?"};
    Statement leave_files{db, "UPDATE files SET room = NULL WHERE room = ?"};
    Statement drop_chat{db, "DELETE FROM chat WHERE room = ?"};
    Statement drop_room{db, "DELETE FROM rooms WHERE id = ?"};

    Statement last_message{db, "SELECT MAX(message) FROM chat WHERE room = ?"};
    Statement add_chat{db,
                       "INSERT INTO chat (room, message, connection, client, user, name, color,"
                       " role, words, at_ms, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
    Statement trim_chat{db, "DELETE FROM chat WHERE room = ? AND message <= ?"};
    Statement read_chat{db, "SELECT message, connection, client, user, name, color, role, words,"
                            " at_ms, checksum FROM chat WHERE room = ? AND message > ?"
                            " ORDER BY message"};

    Statement room_files{db, "SELECT id, path, epoch, eol, checksum FROM files WHERE room = ?"};
    Statement add_file{db, "INSERT INTO files (room, path, epoch, eol, checksum)"
                           " VALUES (?, ?, ?, ?, ?)"};
    Statement move_file{db, "UPDATE files SET path = ?2, checksum = ?3 WHERE id = ?1"};
    Statement leave_file{db, "UPDATE files SET room = NULL WHERE id = ?"};
    Statement drop_file{db, "DELETE FROM files WHERE id = ?"};
    Statement gone_file{db, "SELECT id FROM files WHERE room IS NULL AND aside IS NULL"
                            " LIMIT 1"};

    Statement add_update{db, "INSERT INTO updates (file, version, client, seq, at_ms, changes,"
                             " checksum) VALUES (?, ?, ?, ?, ?, ?, ?)"};
    Statement read_updates{db, "SELECT version, client, seq, at_ms, changes, checksum FROM updates"
                               " WHERE file = ? AND version >= ? AND version < ? ORDER BY version"};
    Statement size_updates{db, "SELECT MAX(version), SUM(LENGTH(changes)) FROM updates"
                               " WHERE file = ? AND version >= ?"};
    Statement drop_updates{db, "DELETE FROM updates WHERE file = ? AND version < ?"};
    Statement first_update{db, "SELECT MIN(version) FROM updates WHERE file = ?"};

    Statement add_snapshot{db, "INSERT INTO snapshots (file, version, content, total, checksum)"
                               " VALUES (?, ?, ?, ?, ?)"};
    Statement read_snapshot{db, "SELECT version, content, total, checksum FROM snapshots"
                                " WHERE file = ? AND version <= ? ORDER BY version DESC LIMIT 1"};
    Statement list_snapshots{db, "SELECT version, LENGTH(content), total FROM snapshots"
                                 " WHERE file = ? ORDER BY version DESC"};
    Statement drop_snapshots{db, "DELETE FROM snapshots WHERE file = ? AND version < ?"};

    Statement last_seqs{db, "SELECT client, MAX(seq), MAX(version) FROM updates"
                            " WHERE file = ? AND version >= ? AND version < ? GROUP BY client"};
    Statement put_seq{db, "INSERT INTO seqs (file, client, seq, version, checksum)"
                          " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (file, client)"
                          " DO UPDATE SET seq = ?3, version = ?4, checksum = ?5"};
    Statement read_seqs{db, "SELECT client, seq, version, checksum FROM seqs WHERE file = ?"
                            " ORDER BY version"};
    Statement trim_seqs{db, "DELETE FROM seqs WHERE file = ?1 AND client IN (SELECT client FROM"
                            " seqs WHERE file = ?1 ORDER BY version DESC LIMIT -1 OFFSET ?2)"};
    Statement drop_seqs{db, "DELETE FROM seqs WHERE file = ?"};

    Statement put_submission{
        db, "INSERT INTO submissions (id, key, kind, digest, state, text, bytes, last_event,"
            " created_ms, ended_ms, expires_ms, checksum, request)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
    Statement submission_by_id{db, "SELECT id, key, kind, digest, state, text, last_event,"
                                   " created_ms, ended_ms, expires_ms, checksum, request"
                                   " FROM submissions WHERE id = ?"};
    Statement submission_by_key{db, "SELECT id, key, kind, digest, state, text, last_event,"
                                    " created_ms, ended_ms, expires_ms, checksum, request"
                                    " FROM submissions WHERE key = ?"};
    Statement submission_bytes{db, "SELECT bytes FROM submissions WHERE id = ?"};
    Statement open_submissions{db, "SELECT id FROM submissions WHERE ended_ms = 0"};
    Statement count_submissions{db, "SELECT COUNT(*), SUM(bytes) FROM submissions"};
    Statement oldest_submission{db, "SELECT id FROM submissions WHERE ended_ms > 0"
                                    " ORDER BY ended_ms LIMIT 1"};
    Statement expired_submission{db, "SELECT id FROM submissions WHERE expires_ms > 0"
                                     " AND expires_ms <= ? ORDER BY expires_ms LIMIT 1"};
    Statement count_kind{db, "SELECT COUNT(*) FROM submissions WHERE kind = ?"};
    Statement list_kind{db, "SELECT id FROM submissions WHERE kind = ? ORDER BY created_ms DESC,"
                            " id LIMIT ? OFFSET ?"};
    Statement drop_submission{db, "DELETE FROM submissions WHERE id = ?"};
};

} // namespace cloister::store

// What ts_tree_cursor_goto_first_child and …_next_sibling do, without the places that nobody asks
// for. Hidden nodes are walked through; a field that one of them has is that of its children.
#include "runtimes/grammars/walk.h"

#include <alloc.h>
#include <language.h>
#include <subtree.h>
#include <tree.h>

/// A node whose children are walked over; it has some.
typedef struct {
    const Subtree* parent;
    uint32_t next;
    uint32_t structural; ///< the number of the next child, extras aside
    uint32_t byte;       ///< where the last child ended
    TSFieldId field;     ///< of a hidden parent
    bool visible;
} Frame;

static void push(CloisterWalk* walk, Frame frame) {
    if (walk->size == walk->capacity) {
        walk->capacity = walk->capacity == 0 ? 32 : walk->capacity * 2;
        walk->frames = ts_realloc(walk->frames, walk->capacity * sizeof(Frame));
    }
    ((Frame*)walk->frames)[walk->size++] = frame;
}

static TSFieldId field_of(const TSLanguage* language, const Frame* frame) {
    const TSFieldMapEntry* entry = NULL;
    const TSFieldMapEntry* end = NULL;
    ts_language_field_map(language, frame->parent->ptr->production_id, &entry, &end);
    for (; entry < end; ++entry) {
        if (!entry->inherited && entry->child_index == frame->structural) return entry->field_id;
    }
    return frame->field;
}

void cloister_walk_begin(CloisterWalk* walk, TSNode node) {
    const Subtree* root = (const Subtree*)node.id;
    *walk = (CloisterWalk){.tree = node.tree};
    if (ts_subtree_child_count(*root) == 0) return;
    push(walk, (Frame){.parent = root, .byte = ts_node_start_byte(node), .visible = true});
}

bool cloister_walk_next(CloisterWalk* walk, CloisterWalked* walked) {
    const TSLanguage* language = walk->tree->language;
    while (walk->size > 0) {
        Frame* frame = &((Frame*)walk->frames)[walk->size - 1];
        const SubtreeHeapData* parent = frame->parent->ptr;
        if (frame->next == parent->child_count) {
            if (frame->visible && walk->depth > 0) --walk->depth;
            --walk->size;
            continue;
        }
        const Subtree* child = &ts_subtree_children(*frame->parent)[frame->next];
        const bool extra = ts_subtree_extra(*child);
        TSSymbol alias = 0;
        TSFieldId field = 0;
        if (!extra) {
            alias = ts_language_alias_at(language, parent->production_id, frame->structural);
            field = field_of(language, frame);
            ++frame->structural;
        }
        const uint32_t start =
            frame->byte + (frame->next > 0 ? ts_subtree_padding(*child).bytes : 0);
        const uint32_t end = start + ts_subtree_size(*child).bytes;
        frame->byte = end;
        ++frame->next;
        const bool visible = alias != 0 || ts_subtree_visible(*child);
        if (visible) {
            const TSSymbol symbol = alias != 0 ? alias : ts_subtree_symbol(*child);
            walked->node = ts_node_new(walk->tree, child, (Length){.bytes = start}, alias);
            walked->start = start;
            walked->end = end;
            walked->depth = walk->depth;
            walked->symbol = ts_language_public_symbol(language, symbol);
            walked->field = field;
            walked->named = alias != 0 ? ts_language_symbol_metadata(language, alias).named
                                       : ts_subtree_named(*child);
            walked->extra = extra;
            walked->error = walked->symbol == ts_builtin_sym_error;
            walked->missing = ts_subtree_missing(*child);
            walked->is_leaf = ts_subtree_visible_child_count(*child) == 0;
        }
        if (ts_subtree_child_count(*child) > 0) {
            push(walk, (Frame){.parent = child,
                               .byte = start,
                               .field = visible ? 0 : field,
                               .visible = visible});
            if (visible) ++walk->depth;
        }
        if (visible) return true;
    }
    return false;
}

void cloister_walk_end(CloisterWalk* walk) { ts_free(walk->frames); }

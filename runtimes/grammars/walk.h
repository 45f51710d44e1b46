// A walk over what is below a node of tree-sitter's, in the order of the text: what its own cursor
// shows, of each node only what the analyst keeps. The cursor knows more (rows, the way back), and
// costs three times as much, which was a sixth of an analysis. It reads tree-sitter's own
// structures, which are those of the version in package-lock.json;
// tests/analysis/walk_test.cpp holds it against the cursor.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <tree_sitter/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A node that the walk came to.
typedef struct {
    TSNode node;    ///< without row and column
    uint32_t start; ///< bytes
    uint32_t end;
    uint32_t depth; ///< 0: a child of the node that the walk began at
    TSSymbol symbol;
    TSFieldId field;
    bool named;
    bool extra;
    bool error;
    bool missing;
    bool is_leaf;
} CloisterWalked;

/// Made by cloister_walk_begin, and to be ended in any case.
typedef struct {
    const TSTree* tree;
    void* frames;
    uint32_t size;
    uint32_t capacity;
    uint32_t depth;
} CloisterWalk;

void cloister_walk_begin(CloisterWalk* walk, TSNode node);
/// False when there are no more nodes.
bool cloister_walk_next(CloisterWalk* walk, CloisterWalked* walked);
void cloister_walk_end(CloisterWalk* walk);

#ifdef __cplusplus
}
#endif

; Decisions as PMD's CyclomaticComplexity counts them; nesting as the Cognitive Complexity paper (v1.5) does.
[(method_declaration name: (identifier) @name) (constructor_declaration name: (identifier) @name)
 (compact_constructor_declaration name: (identifier) @name)] @function
[(class_declaration) (interface_declaration) (enum_declaration) (record_declaration)
 (annotation_type_declaration)] @class

[(if_statement) (for_statement) (enhanced_for_statement) (while_statement) (do_statement) (catch_clause)
 (ternary_expression) (throw_statement)] @decision
((switch_label) @decision (#not-like? @decision "default*"))

((if_statement) @nest (#not-parent? @nest "if_statement"))
((if_statement consequence: (if_statement) @nest))
[(for_statement) (enhanced_for_statement) (while_statement) (do_statement) (catch_clause) (switch_expression)
 (ternary_expression)] @nest
(if_statement alternative: (_) @flat)
(break_statement (identifier)) @flat
(continue_statement (identifier)) @flat
(lambda_expression) @deeper

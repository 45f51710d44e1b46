; Decisions as lizard counts them; nesting as the Cognitive Complexity paper (v1.5) does.
((function_definition declarator: (function_declarator declarator: (_) @name)) @function)
((function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name))) @function)
((function_definition declarator: (reference_declarator (function_declarator declarator: (_) @name))) @function)
((function_definition body: (compound_statement)) @function)
[(struct_specifier body: (_)) (union_specifier body: (_)) (class_specifier body: (_))] @class

[(if_statement) (for_statement) (for_range_loop) (while_statement) (do_statement) (conditional_expression) (catch_clause)] @decision
(case_statement value: (_)) @decision

((if_statement) @nest (#not-parent? @nest "else_clause"))
[(for_statement) (for_range_loop) (while_statement) (do_statement) (switch_statement) (conditional_expression) (catch_clause)] @nest
(else_clause) @flat
(goto_statement) @flat
(lambda_expression) @deeper

; Decisions as lizard and GNU complexity count them; nesting as the Cognitive Complexity paper (v1.5) does.
((function_definition declarator: (function_declarator declarator: (identifier) @name)) @function)
((function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))) @function)
(function_definition) @function
[(struct_specifier body: (_)) (union_specifier body: (_))] @class

[(if_statement) (for_statement) (while_statement) (do_statement) (conditional_expression)] @decision
(case_statement value: (_)) @decision

((if_statement) @nest (#not-parent? @nest "else_clause"))
[(for_statement) (while_statement) (do_statement) (switch_statement) (conditional_expression)] @nest
(else_clause) @flat
(goto_statement) @flat

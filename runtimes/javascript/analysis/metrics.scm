; Decisions as ESLint's `complexity` counts them; nesting as the Cognitive Complexity paper (v1.5) does.
(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(function_expression name: (_) @name) @function
(function_expression !name) @function
(generator_function name: (_) @name) @function
(generator_function !name) @function
(method_definition name: (_) @name) @function
(arrow_function) @function
(variable_declarator name: (identifier) @name value: (arrow_function) @function)
(variable_declarator name: (identifier) @name value: (function_expression) @function)
[(class_declaration) (class)] @class

[(if_statement) (for_statement) (for_in_statement) (while_statement) (do_statement) (ternary_expression)] @decision
(switch_case) @decision
(augmented_assignment_expression operator: ["&&=" "||=" "??="]) @decision
(assignment_pattern) @decision
(optional_chain) @decision

((if_statement) @nest (#not-parent? @nest "else_clause"))
[(for_statement) (for_in_statement) (while_statement) (do_statement) (switch_statement) (catch_clause)
 (ternary_expression)] @nest
(else_clause) @flat
(break_statement label: (_)) @flat
(continue_statement label: (_)) @flat

; Decisions as gocyclo counts them; nesting as gocognit does after the Cognitive Complexity paper (v1.5).
(function_declaration name: (identifier) @name) @function
(method_declaration name: (field_identifier) @name) @function
(type_spec type: [(struct_type) (interface_type)]) @class

[(if_statement) (for_statement) (expression_case) (type_case) (communication_case)] @decision

((if_statement) @nest (#not-parent? @nest "if_statement"))
[(for_statement) (expression_switch_statement) (type_switch_statement) (select_statement)] @nest
(if_statement alternative: (_) @flat)
(break_statement (label_name)) @flat
(continue_statement (label_name)) @flat
(goto_statement) @flat
(func_literal) @deeper

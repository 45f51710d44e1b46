; Decisions as radon counts them; nesting as the Cognitive Complexity paper (v1.5) does.
(function_definition name: (identifier) @name) @function
(class_definition) @class

(if_statement) @decision
(elif_clause) @decision
(for_statement) @decision
(for_statement alternative: (else_clause) @decision)
(while_statement) @decision
(while_statement alternative: (else_clause) @decision)
(except_clause) @decision
(try_statement (else_clause) @decision)
(conditional_expression) @decision
(assert_statement) @decision
(for_in_clause) @decision
[(list_comprehension (if_clause) @decision)
 (set_comprehension (if_clause) @decision)
 (dictionary_comprehension (if_clause) @decision)
 (generator_expression (if_clause) @decision)]
((case_clause) @decision (#not-like? @decision "case _*:*"))

(if_statement) @nest
(for_statement) @nest
(while_statement) @nest
(except_clause) @nest
(conditional_expression) @nest
(match_statement) @nest
(elif_clause) @flat
(else_clause) @flat
(lambda) @deeper

; Two pairs of brackets say that an assignment is meant.
((if_statement condition: (condition_clause value: (assignment_expression operator: "=") @here)) (#set! rule "assignment-in-condition"))
((while_statement condition: (condition_clause value: (assignment_expression operator: "=" right: (number_literal)) @here))
  (#set! rule "assignment-in-condition"))

; A std::string may be compared so; two pointers and a literal may not, and of these only arrays of the same block are certain.
((compound_statement
    (declaration type: (primitive_type) @_char declarator: [(pointer_declarator declarator: (identifier) @_name)
      (array_declarator declarator: (identifier) @_name) (init_declarator declarator: (pointer_declarator declarator: (identifier) @_name))
      (init_declarator declarator: (array_declarator declarator: (identifier) @_name))])
    (if_statement condition: (condition_clause value: (binary_expression left: (identifier) @_left operator: ["==" "!="] right: (string_literal)) @here)))
  (#eq? @_char "char") (#eq? @_name @_left) (#set! rule "string-comparison"))

((if_statement consequence: (expression_statement) @here !alternative) (#eq? @here ";") (#set! rule "empty-body"))
((compound_statement [(for_statement body: (expression_statement) @here) (while_statement body: (expression_statement) @here)] . (compound_statement))
  (#eq? @here ";") (#set! rule "empty-body"))

((if_statement condition: (_) @_one alternative: (else_clause (if_statement condition: (_) @here))) (#same? @_one @here) (#pure? @here)
  (#set! rule "repeated-condition"))

((if_statement condition: (condition_clause value: [(binary_expression operator: ["==" "!=" "<" ">" "<=" ">="]) (unary_expression operator: "!")] @condition)
    consequence: [(compound_statement . (return_statement . (true) .) .) (return_statement . (true) .)]
    alternative: (else_clause . [(compound_statement . (return_statement . (false) .) .) (return_statement . (false) .)] .)) @here
  (#set! rule "needless-if"))

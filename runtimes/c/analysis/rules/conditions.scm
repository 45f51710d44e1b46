; Two pairs of brackets say that an assignment is meant.
((if_statement condition: (parenthesized_expression . (assignment_expression operator: "=") @here .)) (#set! rule "assignment-in-condition"))
((while_statement condition: (parenthesized_expression . (assignment_expression operator: "=" right: (number_literal)) @here .))
  (#set! rule "assignment-in-condition"))

((binary_expression operator: ["==" "!="] right: (string_literal)) @here (#set! rule "string-comparison"))
((binary_expression left: (string_literal) operator: ["==" "!="] right: (_) @_right) @here
  (#not-kind? @_right "string_literal") (#set! rule "string-comparison"))

((if_statement consequence: (expression_statement) @here !alternative) (#eq? @here ";") (#set! rule "empty-body"))
((compound_statement [(for_statement body: (expression_statement) @here) (while_statement body: (expression_statement) @here)] . (compound_statement))
  (#eq? @here ";") (#set! rule "empty-body"))

((if_statement condition: (_) @_one alternative: (else_clause (if_statement condition: (_) @here))) (#same? @_one @here) (#pure? @here)
  (#set! rule "repeated-condition"))

((if_statement condition: (parenthesized_expression . [(binary_expression operator: ["==" "!=" "<" ">" "<=" ">="]) (unary_expression operator: "!")] @condition .)
    consequence: [(compound_statement . (return_statement . (true) .) .) (return_statement . (true) .)]
    alternative: (else_clause . [(compound_statement . (return_statement . (false) .) .) (return_statement . (false) .)] .)) @here
  (#set! rule "needless-if"))

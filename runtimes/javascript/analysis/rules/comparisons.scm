((binary_expression left: (_) @left operator: ["==" "===" "!=" "!==" "<" ">" "<=" ">="] right: (identifier) @_nan) @here
  (#eq? @_nan "NaN") (#not-bound? @_nan) (#set! rule "use-isnan"))
((binary_expression left: (identifier) @_nan operator: ["==" "===" "!=" "!==" "<" ">" "<=" ">="] right: (_) @left) @here
  (#eq? @_nan "NaN") (#not-bound? @_nan) (#set! rule "use-isnan"))
((binary_expression operator: ["==" "===" "!=" "!=="]
    right: (member_expression object: (identifier) @_number property: (property_identifier) @_nan)) @here
  (#eq? @_number "Number") (#eq? @_nan "NaN") (#not-bound? @_number) (#set! rule "use-isnan"))
((switch_case value: (identifier) @here) (#eq? @here "NaN") (#not-bound? @here) (#set! rule "use-isnan"))

((binary_expression left: (unary_expression operator: "typeof") operator: ["==" "===" "!=" "!=="]
    right: (string) @here)
  (#not-like? @here "[\"']undefined[\"']" "[\"']object[\"']" "[\"']boolean[\"']" "[\"']number[\"']" "[\"']string[\"']"
    "[\"']function[\"']" "[\"']symbol[\"']" "[\"']bigint[\"']")
  (#set! rule "valid-typeof"))
((binary_expression left: (string) @here operator: ["==" "===" "!=" "!=="]
    right: (unary_expression operator: "typeof"))
  (#not-like? @here "[\"']undefined[\"']" "[\"']object[\"']" "[\"']boolean[\"']" "[\"']number[\"']" "[\"']string[\"']"
    "[\"']function[\"']" "[\"']symbol[\"']" "[\"']bigint[\"']")
  (#set! rule "valid-typeof"))

; Two pairs of parentheses say that it is meant.
((if_statement condition: (parenthesized_expression . (assignment_expression) @here)) (#set! rule "no-cond-assign"))
((while_statement condition: (parenthesized_expression . (assignment_expression) @here)) (#set! rule "no-cond-assign"))
((do_statement condition: (parenthesized_expression . (assignment_expression) @here)) (#set! rule "no-cond-assign"))

((binary_expression left: (unary_expression operator: "!") @here operator: ["in" "instanceof"])
  (#set! rule "no-unsafe-negation"))

((binary_expression operator: ["==" "===" "<" ">" "<=" ">="] right: (unary_expression operator: "-" argument: (number) @_zero)) @here
  (#eq? @_zero "0") (#set! rule "no-compare-neg-zero"))
((binary_expression left: (unary_expression operator: "-" argument: (number) @_zero) operator: ["==" "===" "<" ">" "<=" ">="]) @here
  (#eq? @_zero "0") (#set! rule "no-compare-neg-zero"))

; x !== x is how NaN was asked for before Number.isNaN.
((binary_expression left: (_) @left operator: ["==" "===" "<" ">" "<=" ">="] right: (_) @right) @here
  (#kind? @left "identifier" "member_expression" "subscript_expression")
  (#same? @left @right) (#pure? @left) (#set! rule "no-self-compare"))

((assignment_expression left: (identifier) @left right: (identifier) @right) @here
  (#eq? @left @right) (#set! rule "no-self-assign"))
((assignment_expression left: (member_expression) @left right: (member_expression) @right) @here
  (#same? @left @right) (#pure? @left) (#set! rule "no-self-assign"))

; What can be said shorter, where the condition is certain to be nothing but true or false.
((ternary_expression condition: [(binary_expression operator: ["==" "!=" "===" "!==" "<" ">" "<=" ">=" "in" "instanceof"]) (unary_expression operator: "!")] @condition consequence: (true) alternative: (false)) @here
  (#set! rule "no-unneeded-ternary"))
((if_statement condition: (parenthesized_expression . [(binary_expression operator: ["==" "!=" "===" "!==" "<" ">" "<=" ">=" "in" "instanceof"]) (unary_expression operator: "!")] @condition .)
    consequence: (statement_block . (return_statement . (true) .) .) alternative: (else_clause . (statement_block . (return_statement . (false) .) .) .)) @here
  (#set! rule "needless-if"))

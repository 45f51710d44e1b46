; `is` compares identity; whether two equal literals are one object is the interpreter's business.
((comparison_operator (_) @left operators: ["is" "is not"] @operator (_) @right .) @here
  (#kind? @right "string" "integer" "float" "list" "dictionary" "set" "tuple" "concatenated_string")
  (#count? @here 2) (#set! rule "is-literal"))
((comparison_operator . (_) @right operators: ["is" "is not"] @operator (_) @left .) @here
  (#kind? @right "string" "integer" "float" "list" "dictionary" "set" "tuple" "concatenated_string")
  (#not-kind? @left "string" "integer" "float" "list" "dictionary" "set" "tuple" "concatenated_string")
  (#count? @here 2) (#set! rule "is-literal"))

((comparison_operator . (_) @left operators: "==" (none) .) @here (#count? @here 2) (#set! rule "equals-none"))
((comparison_operator . (_) @left operators: "!=" (none) .) @here (#count? @here 2) (#set! rule "not-equals-none"))

((not_operator argument: (comparison_operator . (_) @left operators: "in" (_) @right .) @inner) @here
  (#count? @inner 2) (#set! rule "not-in"))
((not_operator argument: (comparison_operator . (_) @left operators: "is" (_) @right .) @inner) @here
  (#count? @inner 2) (#set! rule "not-is"))

; x != x is how floats are asked whether they are a number, so only names and attributes and the other operators.
((comparison_operator . (_) @left operators: ["==" "<" "<=" ">" ">=" "is" "is not"] (_) @right .) @here
  (#kind? @left "identifier" "attribute" "subscript")
  (#same? @left @right) (#pure? @left) (#count? @here 2) (#set! rule "self-comparison"))

((expression_statement . (comparison_operator operators: ["==" "!=" "<" ">" "<=" ">=" "is" "in"]) @here .)
  (#pure? @here) (#not-inside? @here "with_statement") (#set! rule "useless-comparison"))

; What can be said shorter, where the condition is certain to be nothing but true or false.
((conditional_expression . (true) . [(comparison_operator operators: ["in" "not in" "is" "is not"]) (not_operator)] @condition . (false) .) @here
  (#set! rule "needless-conditional"))
((if_statement condition: [(comparison_operator operators: ["in" "not in" "is" "is not"]) (not_operator)] @condition
    consequence: (block . (return_statement . (true) .) .) alternative: (else_clause body: (block . (return_statement . (false) .) .))) @here
  (#count? @here 3) (#set! rule "needless-if"))

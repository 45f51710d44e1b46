; For C, and for C++ (its language.jsonc takes the rules of this file, and of rules.jsonc). What hangs on a condition's
; brackets is in conditions.scm of each.
((assignment_expression left: (_) @left operator: "=" right: (_) @right) @here
  (#kind? @left "identifier" "field_expression" "subscript_expression") (#same? @left @right) (#pure? @left)
  (#set! rule "self-assignment"))

; x != x and x == x are how a floating point number is asked whether it is one; x - x and x / x make one that is none.
((binary_expression left: (_) @left operator: ["<" "<=" ">" ">=" "&&" "||" "%" "&" "|" "^"] right: (_) @right) @here
  (#kind? @left "identifier" "field_expression" "subscript_expression" "binary_expression" "parenthesized_expression")
  (#same? @left @right) (#pure? @left) (#set! rule "identical-operands"))
((binary_expression left: (_) @left operator: "==" right: (_) @right) @here
  (#kind? @left "field_expression" "subscript_expression" "binary_expression" "parenthesized_expression")
  (#same? @left @right) (#pure? @left) (#set! rule "identical-operands"))

; A label or a case can be jumped to; `break` behind `return` is a habit that harms nobody.
((compound_statement [(return_statement) (break_statement) (continue_statement) (goto_statement)] .
    [(expression_statement) (if_statement) (for_statement) (while_statement) (do_statement) (switch_statement) (return_statement)
     (compound_statement)] @here)
  (#not-like? @here ";") (#set! rule "unreachable"))

((call_expression function: (identifier) @_name arguments: (argument_list . (_) . (_) @here . (number_literal) @_size .)) @_all
  (#eq? @_name "memset") (#eq? @_size "0") (#not-eq? @here "0") (#set! rule "memset-size"))

((call_expression function: (identifier) @_name arguments: (argument_list . (identifier) @here .))
  (#eq? @_name "printf") (#not-like? @here "[A-Z]*[A-Z0-9_]") (#not-bound? @_name) (#set! rule "format-from-data"))
((call_expression function: (identifier) @_name arguments: (argument_list . (_) . (identifier) @here .))
  (#eq? @_name "fprintf") (#not-like? @here "[A-Z]*[A-Z0-9_]") (#not-bound? @_name) (#set! rule "format-from-data"))

((call_expression function: (identifier) @here arguments: (argument_list . (_) .)) (#eq? @here "gets") (#not-bound? @here) (#set! rule "gets"))

((case_statement value: (_) @here) (#repeated? @here) (#set! rule "duplicate-case"))

((binary_expression left: (unary_expression operator: "!" argument: (_) @_value) operator: ["==" "!=" "<" ">" "<=" ">="] right: (_) @_right) @here
  (#not-kind? @_right "unary_expression" "true" "false") (#not-kind? @_value "unary_expression") (#not-like? @_right "[A-Z]*")
  (#set! rule "negated-operand"))

((binary_expression left: (binary_expression operator: ["<" "<="]) operator: ["<" "<="] right: (_)) @here
  (#set! rule "chained-comparison"))
((binary_expression left: (binary_expression operator: [">" ">="]) operator: [">" ">="] right: (_)) @here
  (#set! rule "chained-comparison"))

((binary_expression operator: ["&" "|" "^"] right: (binary_expression operator: ["==" "!=" "<" ">" "<=" ">="])) @here
  (#not-like? @here "*\n*") (#set! rule "bitwise-comparison"))

((binary_expression operator: ["/" "%"] right: (number_literal) @here) (#eq? @here "0") (#set! rule "division-by-zero"))

((function_definition type: (primitive_type) @here declarator: (function_declarator declarator: (identifier) @_name))
  (#eq? @here "void") (#eq? @_name "main") (#set! rule "void-main"))

; `i < n` with `i--` is a loop to zero for unsigned numbers.
((for_statement initializer: (declaration type: (primitive_type) @_type declarator: (init_declarator declarator: (identifier) @name))
    condition: (binary_expression left: (identifier) @_name operator: ["<" "<="]) update: (update_expression argument: (identifier) @_step operator: "--") @here)
  (#any-of? @_type "int" "long" "short") (#eq? @name @_name) (#eq? @name @_step) (#set! rule "loop-direction"))
((for_statement initializer: (declaration type: (primitive_type) @_type declarator: (init_declarator declarator: (identifier) @name))
    condition: (binary_expression left: (identifier) @_name operator: [">" ">="]) update: (update_expression argument: (identifier) @_step operator: "++") @here)
  (#any-of? @_type "int" "long" "short") (#eq? @name @_name) (#eq? @name @_step) (#set! rule "loop-direction"))

((compound_statement
    (declaration type: (_) declarator: [(identifier) @name (init_declarator declarator: (identifier) @name)
      (array_declarator declarator: (identifier) @name)]) @_declared
    (return_statement (pointer_expression operator: "&" argument: (identifier) @_name)) @here)
  (#eq? @name @_name) (#not-like? @_declared "static *" "extern *" "thread_local *" "_Thread_local *" "*&*") (#set! rule "local-address"))

; What can be said shorter, where the condition is certain to be nothing but true or false.
((conditional_expression condition: [(binary_expression operator: ["==" "!=" "<" ">" "<=" ">="]) (unary_expression operator: "!")] @condition
    consequence: (true) alternative: (false)) @here (#set! rule "needless-conditional"))

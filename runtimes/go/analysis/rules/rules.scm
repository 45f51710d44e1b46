((assignment_statement left: (expression_list . (_) @left .) operator: "=" right: (expression_list . (_) @right .)) @here
  (#kind? @left "identifier" "selector_expression" "index_expression") (#same? @left @right) (#pure? @left) (#not-eq? @left "_")
  (#not-like? @left "*<-*") (#set! rule "self-assignment"))

; x != x and x == x are how a float is asked whether it is NaN, and x - x or x / x may be it; these are for what is no float.
((binary_expression left: (_) @left operator: ["<" ">" "&&" "||" "%" "&" "|" "^" "&^"] right: (_) @right) @here
  (#kind? @left "identifier" "selector_expression" "index_expression" "binary_expression" "parenthesized_expression" "int_literal")
  (#same? @left @right) (#pure? @left) (#not-like? @left "*<-*") (#set! rule "identical-operands"))
((binary_expression left: (_) @left operator: ["==" "<=" ">=" "-" "/"] right: (_) @right) @here
  (#kind? @left "index_expression" "binary_expression" "parenthesized_expression" "int_literal")
  (#same? @left @right) (#pure? @left) (#not-like? @left "*<-*") (#not-has? @here "float_literal") (#set! rule "identical-operands"))

; A label can be jumped to.
((statement_list [(return_statement) (break_statement) (continue_statement) (goto_statement)] . (_) @here)
  (#not-kind? @here "comment" "labeled_statement" "empty_statement") (#set! rule "unreachable"))
((statement_list (expression_statement (call_expression function: (identifier) @_panic)) . (_) @here)
  (#eq? @_panic "panic") (#not-bound? @_panic) (#not-kind? @here "comment" "labeled_statement" "empty_statement")
  (#set! rule "unreachable"))

((statement_list
  (short_var_declaration left: (expression_list . (identifier) @_file . (identifier) @_err .)) .
  (defer_statement (call_expression function: (selector_expression operand: (identifier) @_closed field: (field_identifier) @_close)) ) @here .
  (if_statement condition: (binary_expression left: (identifier) @_asked operator: "!=" right: (nil))))
  (#eq? @_file @_closed) (#eq? @_close "Close") (#eq? @_err @_asked) (#set! rule "defer-before-check"))

((statement_list
  (expression_statement (call_expression function: (selector_expression operand: (_) @_one field: (field_identifier) @_lock))) .
  (expression_statement (call_expression function: (selector_expression operand: (_) @_other field: (field_identifier) @_unlock))) @here)
  (#any-of? @_lock "Lock" "RLock") (#any-of? @_unlock "Unlock" "RUnlock") (#same? @_one @_other)
  (#set! rule "empty-critical-section"))

((statement_list
  (expression_statement (call_expression function: (selector_expression operand: (_) @_one field: (field_identifier) @_lock))) .
  (defer_statement (call_expression function: (selector_expression operand: (_) @_other field: (field_identifier) @_again))) @here)
  (#any-of? @_lock "Lock" "RLock") (#eq? @_lock @_again) (#same? @_one @_other) (#set! rule "defer-lock"))

((if_statement condition: (_) @_one alternative: (if_statement !initializer condition: (_) @here)) (#same? @_one @here) (#pure? @here)
  (#not-like? @here "*<-*") (#set! rule "repeated-condition"))
((if_statement !initializer condition: (_) @_one alternative: (if_statement !initializer alternative: (if_statement !initializer condition: (_) @here)))
  (#same? @_one @here) (#pure? @here) (#not-like? @here "*<-*") (#set! rule "repeated-condition"))

((binary_expression operator: ["==" "!=" "<" ">" "<=" ">="] right: (call_expression function: (selector_expression
    operand: (identifier) @_math field: (field_identifier) @_nan))) @here
  (#eq? @_math "math") (#eq? @_nan "NaN") (#set! rule "comparison-with-nan"))

((binary_expression left: (call_expression function: (selector_expression operand: (identifier) @_math field: (field_identifier) @_nan))
    operator: ["==" "!=" "<" ">" "<=" ">="]) @here
  (#eq? @_math "math") (#eq? @_nan "NaN") (#set! rule "comparison-with-nan"))

((unary_expression operator: "!" operand: (parenthesized_expression . (unary_expression operator: "!") .)) @here (#set! rule "double-negation"))
((unary_expression operator: "!" operand: (unary_expression operator: "!")) @here (#not-parent? @here "unary_expression")
  (#set! rule "double-negation"))

((binary_expression left: (unary_expression operator: "&" operand: (_)) operator: ["==" "!="] right: (nil)) @here
  (#set! rule "address-is-nil"))
((binary_expression left: (call_expression function: (identifier) @_len) operator: ["<"] right: (int_literal) @_zero) @here
  (#any-of? @_len "len" "cap") (#eq? @_zero "0") (#not-bound? @_len) (#set! rule "negative-length"))
((binary_expression left: (call_expression function: (identifier) @_len) operator: [">="] right: (int_literal) @_zero) @here
  (#any-of? @_len "len" "cap") (#eq? @_zero "0") (#not-bound? @_len) (#set! rule "negative-length"))

((binary_expression left: (int_literal) @_zero operator: [">" "<="] right: (call_expression function: (identifier) @_len)) @here
  (#any-of? @_len "len" "cap") (#eq? @_zero "0") (#not-bound? @_len) (#set! rule "negative-length"))

((binary_expression left: (_) operator: "%" right: (int_literal) @_one) @here (#eq? @_one "1") (#set! rule "modulo-one"))

((call_expression function: (selector_expression operand: (identifier) @_time field: (field_identifier) @_sleep)
    arguments: (argument_list . (int_literal) @here .))
  (#eq? @_time "time") (#eq? @_sleep "Sleep") (#like? @here "[1-9]" "[1-9][0-9]" "1[01][0-9]" "120") (#set! rule "sleep-number"))

((call_expression function: (selector_expression operand: (identifier) @_os field: (field_identifier) @_name)
    arguments: (argument_list (int_literal) @here .))
  (#eq? @_os "os") (#any-of? @_name "Chmod" "Mkdir" "MkdirAll" "OpenFile" "WriteFile") (#like? @here "[1-7][0-7][0-7]")
  (#set! rule "octal-mode"))

((expression_statement (call_expression function: (selector_expression operand: (identifier) @_package field: (field_identifier) @name)) @here)
  (#any-of? @_package "fmt" "errors") (#any-of? @name "Sprintf" "Sprint" "Sprintln" "Errorf" "New") (#not-bound? @_package)
  (#set! rule "unused-result"))

((if_statement consequence: (block) @here !alternative) (#count? @here 0) (#not-has? @here "comment") (#set! rule "empty-branch"))

((binary_expression left: (_) @_value operator: "==" right: (true) @_true) @here (#pure? @_value) (#set! rule "compare-bool"))
((keyed_element key: (literal_element [(interpreted_string_literal) (int_literal)]) @here) (#repeated? @here) (#set! rule "repeated-key"))

; What can be said shorter, where the condition is certain to be nothing but true or false.
((if_statement !initializer condition: (binary_expression operator: ["==" "!=" "<" ">" "<=" ">="]) @condition
    consequence: (block . (statement_list . (return_statement (expression_list . (true) .)) .) .)
    alternative: (block . (statement_list . (return_statement (expression_list . (false) .)) .) .)) @here @whole
  (#set! rule "needless-if"))
; One of several questions that are asked one after the other is left alone.
((statement_list . (if_statement !initializer !alternative condition: (binary_expression operator: ["==" "!=" "<" ">" "<=" ">="]) @condition
    consequence: (block . (statement_list . (return_statement (expression_list . (true) .)) .) .)) @here
    . (return_statement (expression_list . (false) .)))
  (#set! rule "needless-if"))
((statement_list (_) @_before . (if_statement !initializer !alternative condition: (binary_expression operator: ["==" "!=" "<" ">" "<=" ">="]) @condition
    consequence: (block . (statement_list . (return_statement (expression_list . (true) .)) .) .)) @here
    . (return_statement (expression_list . (false) .)))
  (#not-kind? @_before "if_statement" "comment") (#set! rule "needless-if"))

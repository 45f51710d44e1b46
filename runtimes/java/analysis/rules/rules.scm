((binary_expression left: (_) @left operator: "==" right: (string_literal) @right) @here (#not-kind? @left "null_literal" "binary_expression")
  (#set! rule "string-equality"))
((binary_expression left: (string_literal) @right operator: "==" right: (_) @left) @here
  (#not-kind? @left "null_literal" "string_literal" "binary_expression") (#set! rule "string-equality"))
((binary_expression left: (_) @left operator: "!=" right: (string_literal) @right) @here (#not-kind? @left "null_literal" "binary_expression")
  (#set! rule "string-inequality"))
((binary_expression left: (string_literal) @right operator: "!=" right: (_) @left) @here
  (#not-kind? @left "null_literal" "string_literal" "binary_expression") (#set! rule "string-inequality"))

((method_invocation object: (_) @object name: (identifier) @_name arguments: (argument_list . (null_literal) .)) @here
  (#eq? @_name "equals") (#not-inside? @here "method_reference") (#not-kind? @object "super") (#set! rule "equals-null"))

((binary_expression operator: ["==" "!=" "<" ">" "<=" ">="] right: (field_access object: (identifier) @type field: (identifier) @_nan)) @here
  (#any-of? @type "Double" "Float") (#eq? @_nan "NaN") (#not-bound? @type) (#set! rule "comparison-with-nan"))
((binary_expression left: (field_access object: (identifier) @type field: (identifier) @_nan) operator: ["==" "!=" "<" ">" "<=" ">="]) @here
  (#any-of? @type "Double" "Float") (#eq? @_nan "NaN") (#not-bound? @type) (#set! rule "comparison-with-nan"))

((return_statement) @here (#within? @here "finally_clause") (#set! rule "return-from-finally"))
((throw_statement) @here (#within? @here "finally_clause") (#not-within? @here "try_statement") (#set! rule "return-from-finally"))

; A name that says so, or a comment, is an excuse.
((catch_clause (catch_formal_parameter name: (identifier) @_name) body: (block) @here)
  (#count? @here 0) (#not-has? @here "line_comment" "block_comment") (#not-like? @_name "ignore*" "expected*" "*gnored" "unused*" "_")
  (#set! rule "empty-catch"))

((if_statement condition: (_) consequence: ";" @here) (#set! rule "empty-control"))
((if_statement consequence: (block) @here) (#count? @here 0) (#not-has? @here "line_comment" "block_comment") (#set! rule "empty-control"))

((assignment_expression left: (_) @left operator: "=" right: (_) @right) @here
  (#kind? @left "identifier" "field_access") (#same? @left @right) (#set! rule "self-assignment"))

((method_invocation object: (identifier) @left name: (identifier) @_name arguments: (argument_list . (identifier) @right .)) @here
  (#eq? @_name "equals") (#eq? @left @right) (#set! rule "self-equals"))

; x != x is how a floating point number is asked whether it is one; + and * of two equal things are sums and squares.
((binary_expression left: (_) @left operator: ["==" "<" "<=" ">" ">=" "&&" "||" "-" "/" "%" "&" "|" "^"] right: (_) @right) @here
  (#kind? @left "identifier" "field_access" "array_access" "binary_expression" "parenthesized_expression")
  (#same? @left @right) (#pure? @left) (#set! rule "identical-operands"))

((method_invocation object: (object_creation_expression type: (type_identifier) @_type) name: (identifier) @_name
    arguments: (argument_list)) @here
  (#eq? @_type "Thread") (#eq? @_name "run") (#set! rule "thread-run"))

((if_statement condition: (parenthesized_expression . [(true) (false)] @here)) (#set! rule "unconditional-if"))

((object_creation_expression type: (type_identifier) @_type arguments: (argument_list . (decimal_floating_point_literal) @here .)) @_all
  (#eq? @_type "BigDecimal") (#not-like? @here "*.0" "*.5") (#set! rule "big-decimal-literal"))

; equals(Object) is spelled otherwise, or takes something else.
((method_declaration type: (boolean_type) name: (identifier) @here parameters: (formal_parameters . (formal_parameter
    type: (type_identifier) @_type) .))
  (#any-of? @here "equal") (#eq? @_type "Object") (#set! rule "suspicious-name"))
((method_declaration type: (integral_type) @_type name: (identifier) @here parameters: (formal_parameters) @_none)
  (#any-of? @here "hashcode" "HashCode" "hashCOde") (#eq? @_type "int") (#count? @_none 0) (#set! rule "suspicious-name"))
((method_declaration type: (type_identifier) @_type name: (identifier) @here parameters: (formal_parameters) @_none)
  (#any-of? @here "tostring" "toSTring" "ToString") (#eq? @_type "String") (#count? @_none 0) (#set! rule "suspicious-name"))

((octal_integer_literal) @here (#not-like? @here "0" "00" "0[lL]") (#not-inside? @here "argument_list") (#set! rule "octal-literal"))

((block [(return_statement) (throw_statement) (break_statement) (continue_statement)] . (_) @here)
  (#not-kind? @here "line_comment" "block_comment") (#set! rule "unreachable"))

((for_statement init: (local_variable_declaration declarator: (variable_declarator name: (identifier) @name))
    condition: (binary_expression left: (identifier) @_name operator: ["<" "<="]) update: (update_expression (identifier) @_step "--") @here)
  (#eq? @name @_name) (#eq? @name @_step) (#set! rule "loop-direction"))
((for_statement init: (local_variable_declaration declarator: (variable_declarator name: (identifier) @name))
    condition: (binary_expression left: (identifier) @_name operator: [">" ">="]) update: (update_expression (identifier) @_step "++") @here)
  (#eq? @name @_name) (#eq? @name @_step) (#set! rule "loop-direction"))

; What can be said shorter, where the condition is certain to be nothing but true or false.
((ternary_expression condition: (_) @condition consequence: (true) alternative: (false)) @here
  (#not-kind? @condition "assignment_expression") (#set! rule "needless-conditional"))
((if_statement condition: (parenthesized_expression . (_) @condition .)
    consequence: (block . (return_statement . (true) .) .) alternative: (block . (return_statement . (false) .) .)) @here
  (#set! rule "needless-if"))

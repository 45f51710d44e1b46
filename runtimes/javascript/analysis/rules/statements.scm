((object (pair key: [(property_identifier) (string) (number)] @here)) (#repeated? @here)
  (#not-like? @here "__proto__" "[\"']__proto__[\"']") (#set! rule "no-dupe-keys"))

((switch_case value: (_) @here) (#repeated? @here) (#pure? @here) (#set! rule "no-duplicate-case"))

((statement_block [(return_statement) (throw_statement) (break_statement) (continue_statement)] . (_) @here)
  (#not-kind? @here "comment" "function_declaration" "generator_function_declaration" "variable_declaration" "empty_statement"
    "class_declaration")
  (#set! rule "no-unreachable"))
((switch_case [(return_statement) (throw_statement) (continue_statement)] . (_) @here)
  (#not-kind? @here "comment" "break_statement" "function_declaration" "variable_declaration" "empty_statement")
  (#set! rule "no-unreachable"))

((return_statement) @here (#within? @here "finally_clause") (#set! rule "no-unsafe-finally"))
((throw_statement) @here (#within? @here "finally_clause") (#set! rule "no-unsafe-finally"))

((array "," . "," @here) (#set! rule "no-sparse-arrays"))
((array . "[" . "," @here) (#set! rule "no-sparse-arrays"))

((object_pattern) @here (#count? @here 0) (#not-has? @here "comment") (#set! rule "no-empty-pattern"))
((array_pattern) @here (#like? @here "[[]]" "[[] ]") (#set! rule "no-empty-pattern"))

((catch_clause body: (statement_block) @here) (#count? @here 0) (#not-has? @here "comment") (#set! rule "no-empty"))
((if_statement consequence: (statement_block) @here) (#count? @here 0) (#not-has? @here "comment") (#set! rule "no-empty"))
((else_clause (statement_block) @here) (#count? @here 0) (#not-has? @here "comment") (#set! rule "no-empty"))
((finally_clause body: (statement_block) @here) (#count? @here 0) (#not-has? @here "comment") (#set! rule "no-empty"))

((new_expression constructor: (identifier) @_promise arguments: (arguments . [
    (arrow_function . "async" @here) (function_expression . "async" @here)]))
  (#eq? @_promise "Promise") (#not-bound? @_promise) (#set! rule "no-async-promise-executor"))

((debugger_statement) @here (#set! rule "no-debugger"))

((unary_expression operator: "delete" argument: (identifier)) @here (#set! rule "no-delete-var"))

((for_statement condition: (binary_expression left: (identifier) @name operator: ["<" "<="])
    increment: [(update_expression operator: "--" argument: (identifier) @_name)
      (update_expression argument: (identifier) @_name operator: "--")] @here)
  (#eq? @name @_name) (#set! rule "for-direction"))
((for_statement condition: (binary_expression left: (identifier) @name operator: [">" ">="])
    increment: [(update_expression operator: "++" argument: (identifier) @_name)
      (update_expression argument: (identifier) @_name operator: "++")] @here)
  (#eq? @name @_name) (#set! rule "for-direction"))

((generator_function_declaration name: (identifier) @here body: (statement_block) @_body)
  (#not-has? @_body "yield_expression") (#not-count? @_body 0) (#set! rule "require-yield"))

((throw_statement [(string) (number) (template_string) (null) (undefined)] @here) (#set! rule "no-throw-literal"))

((except_clause . "except" @here . ":") @_all (#not-has? @_all "raise_statement") (#set! rule "bare-except"))

((assert_statement . (tuple (_)) @here) (#set! rule "assert-tuple"))
((if_statement condition: (tuple (_)) @here) (#set! rule "if-tuple"))
((elif_clause condition: (tuple (_)) @here) (#set! rule "if-tuple"))

((raise_statement . (identifier) @here) (#eq? @here "NotImplemented") (#set! rule "raise-not-implemented"))
((raise_statement . (call function: (identifier) @here)) (#eq? @here "NotImplemented") (#set! rule "raise-not-implemented"))

((assert_statement . (false) @here) (#set! rule "assert-false"))

((assignment left: (identifier) @left right: (identifier) @right) @here
  (#eq? @left @right) (#not-field? @here "type") (#not-parent? @here "assignment") (#not-inside? @here "class_definition")
  (#within? @here "function_definition") (#set! rule "self-assignment"))
((assignment left: (attribute) @left right: (attribute) @right) @here
  (#same? @left @right) (#pure? @left) (#not-parent? @here "assignment") (#set! rule "self-assignment"))

; A jump out of `finally` drops the exception that is on its way.
((finally_clause (block (return_statement) @here)) (#set! rule "jump-in-finally"))
((return_statement) @here (#within? @here "finally_clause") (#set! rule "jump-in-finally"))
((break_statement) @here (#parent? @here "block") (#within? @here "finally_clause")
  (#not-within? @here "for_statement" "while_statement") (#set! rule "jump-in-finally"))

((block [(return_statement) (raise_statement) (break_statement) (continue_statement)] . (_) @here)
  (#not-kind? @here "comment") (#not-has? @here "yield") (#set! rule "unreachable"))

((return_statement) @here (#not-within? @here "function_definition") (#set! rule "return-outside"))
((yield) @here (#not-inside? @here "function_definition" "lambda") (#set! rule "yield-outside"))
((break_statement) @here (#not-within? @here "for_statement" "while_statement") (#set! rule "break-outside"))
((continue_statement) @here (#not-within? @here "for_statement" "while_statement") (#set! rule "continue-outside"))

(function_definition parameters: (parameters (default_parameter name: (identifier) @name
  value: [(list) (dictionary) (set) (list_comprehension) (dictionary_comprehension) (set_comprehension)] @here))
  (#set! rule "mutable-default"))
(function_definition parameters: (parameters (typed_default_parameter name: (identifier) @name
  value: [(list) (dictionary) (set) (list_comprehension) (dictionary_comprehension) (set_comprehension)] @here))
  (#set! rule "mutable-default"))
((function_definition parameters: (parameters [
    (default_parameter name: (identifier) @name value: (call function: (identifier) @_made) @here)
    (typed_default_parameter name: (identifier) @name value: (call function: (identifier) @_made) @here)]))
  (#any-of? @_made "list" "dict" "set" "bytearray") (#set! rule "mutable-default"))

; What the grammar takes for the sake of Python 2.
((print_statement) @here (#set! rule "print-statement"))
((exec_statement) @here (#set! rule "exec-statement"))

; Of C++ alone.
((catch_clause parameters: (parameter_list (parameter_declaration type: [(type_identifier) (qualified_identifier)] declarator: (identifier)) @here))
  (#not-like? @here "*[&*]*") (#set! rule "catch-by-value"))
((catch_clause parameters: (parameter_list) @_what body: (compound_statement) @here)
  (#count? @here 0) (#not-has? @here "comment") (#eq? @_what "(...)") (#set! rule "empty-catch"))
(throw_statement (new_expression) @here (#set! rule "throw-pointer"))
((expression_statement (call_expression function: (field_expression field: (field_identifier) @_name) arguments: (argument_list) @_none) @here)
  (#eq? @_name "empty") (#count? @_none 0) (#set! rule "standalone-empty"))
((if_statement condition: (condition_clause value: (identifier) @_asked) consequence: [(expression_statement (delete_expression (identifier) @name) @_all)
    (compound_statement . (expression_statement (delete_expression (identifier) @name)) .)] !alternative) @here
  (#eq? @_asked @name) (#set! rule "delete-null-check"))

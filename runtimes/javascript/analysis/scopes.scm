; What binds a name, and where it is seen.
[(function_declaration) (function_expression) (generator_function) (generator_function_declaration)
 (arrow_function) (method_definition)] @scope
[(statement_block) (for_statement) (for_in_statement) (switch_body) (catch_clause)] @scope.block
[(class_body)] @scope.class

(function_declaration name: (identifier) @def.function.outer)
(generator_function_declaration name: (identifier) @def.function.outer)
(class_declaration name: (identifier) @def.class)
(class name: (identifier) @def.class)
(function_expression name: (identifier) @def.function)

(method_definition name: (property_identifier) @def.method.outer)
(field_definition property: (property_identifier) @def.field)
((assignment_expression left: (member_expression object: (this) property: (property_identifier) @def.member)))

(formal_parameters (identifier) @def.parameter)
(arrow_function parameter: (identifier) @def.parameter)
(formal_parameters (assignment_pattern left: (identifier) @def.parameter))
(formal_parameters (rest_pattern (identifier) @def.parameter))
(rest_pattern (identifier) @def.variable)
(catch_clause parameter: (identifier) @def.variable)
(shorthand_property_identifier_pattern) @def.variable
(array_pattern (identifier) @def.variable)
(pair_pattern value: (identifier) @def.variable)
(assignment_pattern left: (identifier) @def.variable)

; A variable of a function, declared by itself, that nobody ever names again. At the top of a file other scripts
; may use it.
((lexical_declaration (variable_declarator name: (identifier) @def.variable @rule.unused-variable)) @whole
  (#inside? @whole "function_declaration" "function_expression" "arrow_function" "method_definition"
    "generator_function" "generator_function_declaration"))
((lexical_declaration (variable_declarator name: (identifier) @def.variable)) @_whole
  (#not-inside? @_whole "function_declaration" "function_expression" "arrow_function" "method_definition"
    "generator_function" "generator_function_declaration"))
((variable_declaration (variable_declarator name: (identifier) @def.variable.hoisted @rule.unused-variable)) @whole
  (#inside? @whole "function_declaration" "function_expression" "arrow_function" "method_definition"
    "generator_function" "generator_function_declaration"))
((variable_declaration (variable_declarator name: (identifier) @def.variable.hoisted)) @_whole
  (#not-inside? @_whole "function_declaration" "function_expression" "arrow_function" "method_definition"
    "generator_function" "generator_function_declaration"))
(for_in_statement left: (identifier) @def.variable)

; An import with a name is there to be used; React may be needed by what JSX becomes.
((import_clause (identifier) @def.import @rule.unused-import) (#not-eq? @def.import "React"))
((import_clause (identifier) @def.import) (#eq? @def.import "React"))
(namespace_import (identifier) @def.import @rule.unused-import)
(import_specifier name: (identifier) @def.import @rule.unused-import !alias)
(import_specifier alias: (identifier) @def.import @rule.unused-import)

; Code of which nobody knows what is in it uses what is around it. What stands in a `with` is named there.
((call_expression function: (identifier) @_name arguments: (arguments (_) @_code)) @dynamic.scope
  (#eq? @_name "eval") (#not-kind? @_code "string"))
((call_expression function: (identifier) @_name arguments: (arguments . (string) @code)) (#eq? @_name "eval"))

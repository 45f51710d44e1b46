; What binds a name, and where it is seen.
[(function_declaration) (method_declaration) (func_literal)] @scope
[(block) (if_statement) (for_statement) (expression_switch_statement) (type_switch_statement) (expression_case)
 (type_case) (default_case) (communication_case)] @scope.block

(function_declaration name: (identifier) @def.function.outer)
(method_declaration name: (field_identifier) @def.method.outer)
(type_spec name: (type_identifier) @def.class)
(type_alias name: (type_identifier) @def.class)
(type_parameter_declaration name: (identifier) @def.class)
(const_spec name: (identifier) @def.constant)
(field_declaration name: (field_identifier) @def.member)
(parameter_declaration name: (identifier) @def.parameter)
(variadic_parameter_declaration name: (identifier) @def.parameter)

; The compiler refuses a variable that is never used; one that is only assigned again is left to it.
((short_var_declaration left: (expression_list (identifier) @def.variable @rule.unused-variable)) @_whole
  (#not-eq? @def.variable "_"))
((var_declaration (var_spec name: (identifier) @def.variable @rule.unused-variable)) @_whole
  (#inside? @_whole "function_declaration" "method_declaration" "func_literal") (#not-eq? @def.variable "_"))
((var_declaration (var_spec name: (identifier) @def.variable)) @_whole
  (#not-inside? @_whole "function_declaration" "method_declaration" "func_literal"))
(var_spec_list (var_spec name: (identifier) @def.variable))
((range_clause left: (expression_list (identifier) @def.variable)))
(receive_statement left: (expression_list (identifier) @def.variable))
(type_switch_statement alias: (expression_list (identifier) @def.variable))

; An import is known by the last part of its path, where that is a plain word; others may have another name inside.
(import_spec name: (package_identifier) @def.import @rule.unused-import)
((import_declaration (import_spec !name path: (interpreted_string_literal (interpreted_string_literal_content) @def.import @rule.unused-import))) @whole
  (#like? @def.import "[a-z]*") (#not-like? @def.import "*[/.-]*" "C" "*[A-Z]*"))
((import_spec_list (import_spec !name path: (interpreted_string_literal (interpreted_string_literal_content) @def.import @rule.unused-import) ) @whole)
  (#like? @def.import "[a-z]*") (#not-like? @def.import "*[/.-]*" "C" "*[A-Z]*"))

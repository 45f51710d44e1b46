; What binds a name, and where it is seen.
[(method_declaration) (constructor_declaration) (compact_constructor_declaration) (lambda_expression)] @scope
[(block) (for_statement) (enhanced_for_statement) (catch_clause) (try_with_resources_statement)
 (switch_block_statement_group) (switch_rule)] @scope.block
[(class_body) (enum_body) (interface_body)] @scope.class

(method_declaration name: (identifier) @def.method.outer)
(class_declaration name: (identifier) @def.class)
(interface_declaration name: (identifier) @def.class)
(enum_declaration name: (identifier) @def.class)
(record_declaration name: (identifier) @def.class)
(enum_constant name: (identifier) @def.constant)
(type_parameter (type_identifier) @def.class)

(field_declaration declarator: (variable_declarator name: (identifier) @def.field))
(constant_declaration declarator: (variable_declarator name: (identifier) @def.constant))
(formal_parameter name: (identifier) @def.parameter)
(spread_parameter (variable_declarator name: (identifier) @def.parameter))
(lambda_expression parameters: (identifier) @def.parameter)
(inferred_parameters (identifier) @def.parameter)
(catch_formal_parameter name: (identifier) @def.variable)
(resource name: (identifier) @def.variable)
(enhanced_for_statement name: (identifier) @def.variable)
(instanceof_expression name: (identifier) @def.variable)
(type_pattern (identifier) @def.variable)

; A local variable that nobody ever names again.
(local_variable_declaration declarator: (variable_declarator name: (identifier) @def.variable @rule.unused-variable)) @whole

; The last name of an import. Words of comments count, since {@link Name} needs the import.
((import_declaration (scoped_identifier name: (identifier) @def.import @rule.unused-import) .) @whole
  (#not-like? @whole "import static*"))
((import_declaration (scoped_identifier name: (identifier) @def.import) .) @_static (#like? @_static "import static*"))

; What binds a name, and where it is seen.
[(function_definition) (lambda_expression)] @scope
[(compound_statement) (for_statement) (for_range_loop) (catch_clause) (if_statement) (while_statement) (switch_statement)] @scope.block
[(class_specifier body: (_)) (struct_specifier body: (_))] @scope.class

(function_definition declarator: (function_declarator declarator: (identifier) @def.function.outer))
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @def.function.outer)))
(declaration declarator: (function_declarator declarator: (identifier) @def.function))
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @def.function)))
(preproc_def name: (identifier) @def.constant)
(preproc_function_def name: (identifier) @def.function)
(function_definition declarator: (function_declarator declarator: (field_identifier) @def.method.outer))
(field_declaration declarator: (function_declarator declarator: (field_identifier) @def.method))
(class_specifier name: (type_identifier) @def.class body: (_))
(alias_declaration name: (type_identifier) @def.class)
(namespace_definition name: (namespace_identifier) @def.class)
(type_parameter_declaration (type_identifier) @def.class)
(optional_parameter_declaration declarator: (identifier) @def.parameter)
(parameter_declaration declarator: (reference_declarator (identifier) @def.parameter))
(for_range_loop declarator: (identifier) @def.variable)
(for_range_loop declarator: (reference_declarator (identifier) @def.variable))
(structured_binding_declarator (identifier) @def.variable)
(lambda_capture_initializer left: (identifier) @def.variable)
(enumerator name: (identifier) @def.constant)
(type_definition declarator: (type_identifier) @def.class)
(struct_specifier name: (type_identifier) @def.class body: (_))
(union_specifier name: (type_identifier) @def.class body: (_))
(enum_specifier name: (type_identifier) @def.class body: (_))
(field_declaration declarator: (field_identifier) @def.member)
(field_declaration declarator: (pointer_declarator declarator: (field_identifier) @def.member))
(field_declaration declarator: (array_declarator declarator: (field_identifier) @def.member))

(parameter_declaration declarator: (identifier) @def.parameter)
(parameter_declaration declarator: (pointer_declarator declarator: (identifier) @def.parameter))
(parameter_declaration declarator: (array_declarator declarator: (identifier) @def.parameter))

; A local variable of a built-in type that nobody ever names again: an object's life may be what it is for.
((declaration type: [(primitive_type) (sized_type_specifier)] declarator: [(identifier) @def.variable @rule.unused-variable
    (pointer_declarator declarator: (identifier) @def.variable @rule.unused-variable)
    (array_declarator declarator: (identifier) @def.variable @rule.unused-variable)
    (init_declarator declarator: (identifier) @def.variable @rule.unused-variable)
    (init_declarator declarator: (pointer_declarator declarator: (identifier) @def.variable @rule.unused-variable))
    (init_declarator declarator: (array_declarator declarator: (identifier) @def.variable @rule.unused-variable))]) @whole
  (#inside? @whole "function_definition" "lambda_expression") (#not-like? @whole "extern *" "*__attribute__*" "*unused*")
  (#not-has? @whole "attribute_declaration" "attribute_specifier") (#not-inside? @whole "preproc_if" "preproc_ifdef"))
((declaration type: (_) @_type declarator: [(identifier) @def.variable
    (pointer_declarator declarator: (identifier) @def.variable)
    (array_declarator declarator: (identifier) @def.variable)
    (init_declarator declarator: (identifier) @def.variable)
    (init_declarator declarator: (reference_declarator (identifier) @def.variable))
    (init_declarator declarator: (pointer_declarator declarator: (identifier) @def.variable))
    (init_declarator declarator: (array_declarator declarator: (identifier) @def.variable))])
  (#not-kind? @_type "primitive_type" "sized_type_specifier"))
((declaration type: [(primitive_type) (sized_type_specifier)] declarator: [(identifier) @def.variable
    (init_declarator declarator: (identifier) @def.variable)
    (array_declarator declarator: (identifier) @def.variable)]) @_whole
  (#not-inside? @_whole "function_definition" "lambda_expression"))

((labeled_statement label: (statement_identifier) @def.label.hoisted @rule.unused-label)
  (#not-like? @def.label.hoisted "default*"))

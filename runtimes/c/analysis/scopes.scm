; What binds a name, and where it is seen.
(function_definition) @scope
[(compound_statement) (for_statement)] @scope.block

(function_definition declarator: (function_declarator declarator: (identifier) @def.function.outer))
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @def.function.outer)))
(declaration declarator: (function_declarator declarator: (identifier) @def.function))
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @def.function)))
(preproc_def name: (identifier) @def.constant)
(preproc_function_def name: (identifier) @def.function)
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

; A local variable of a plain type that nobody ever names again. What an attribute or a macro does with it is not known.
((declaration type: (_) @_type declarator: [(identifier) @def.variable @rule.unused-variable
    (pointer_declarator declarator: (identifier) @def.variable @rule.unused-variable)
    (array_declarator declarator: (identifier) @def.variable @rule.unused-variable)
    (init_declarator declarator: (identifier) @def.variable @rule.unused-variable)
    (init_declarator declarator: (pointer_declarator declarator: (identifier) @def.variable @rule.unused-variable))
    (init_declarator declarator: (array_declarator declarator: (identifier) @def.variable @rule.unused-variable))]) @whole
  (#inside? @whole "function_definition") (#not-like? @whole "extern *" "*__attribute__*" "*unused*")
  (#not-has? @whole "attribute_declaration" "attribute_specifier") (#not-inside? @whole "preproc_if" "preproc_ifdef"))
((declaration declarator: [(identifier) @def.variable
    (pointer_declarator declarator: (identifier) @def.variable)
    (array_declarator declarator: (identifier) @def.variable)
    (init_declarator declarator: (identifier) @def.variable)
    (init_declarator declarator: (pointer_declarator declarator: (identifier) @def.variable))
    (init_declarator declarator: (array_declarator declarator: (identifier) @def.variable))]) @_whole
  (#not-inside? @_whole "function_definition"))

((labeled_statement label: (statement_identifier) @def.label.hoisted @rule.unused-label)
  (#not-like? @def.label.hoisted "default*"))

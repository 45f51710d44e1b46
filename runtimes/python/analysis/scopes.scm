; What binds a name, and where it is seen.
(function_definition) @scope
(lambda) @scope
(list_comprehension) @scope
(set_comprehension) @scope
(dictionary_comprehension) @scope
(generator_expression) @scope
(class_definition) @scope.class

(function_definition name: (identifier) @def.function.outer)
(class_definition name: (identifier) @def.class.outer)

[(parameters (identifier) @def.parameter)
 (lambda_parameters (identifier) @def.parameter)
 (default_parameter name: (identifier) @def.parameter)
 (typed_parameter (identifier) @def.parameter)
 (typed_default_parameter name: (identifier) @def.parameter)
 (list_splat_pattern (identifier) @def.parameter)
 (dictionary_splat_pattern (identifier) @def.parameter)]

; A plain assignment in a function that nobody reads. Tuples, loops and augmented assignments are never
; complained about: their names are often there for the shape.
((assignment left: (identifier) @def.variable @rule.unused-variable) @whole
  (#within? @def.variable "function_definition")
  (#not-parent? @whole "assignment"))
((assignment left: (identifier) @def.variable)
  (#not-within? @def.variable "function_definition"))
((assignment left: (identifier) @def.variable right: (assignment)))
(assignment right: (assignment left: (identifier) @def.variable))
(except_clause value: (as_pattern alias: (as_pattern_target (identifier) @def.variable @rule.unused-exception)))
((with_item value: (as_pattern alias: (as_pattern_target (identifier) @def.variable @rule.unused-variable)))
  (#within? @def.variable "function_definition"))
(as_pattern alias: (as_pattern_target (identifier) @def.variable))
(as_pattern_target [(tuple (identifier) @def.variable) (list (identifier) @def.variable)])
(augmented_assignment left: (identifier) @def.variable)
(named_expression name: (identifier) @def.variable)
(for_statement left: (identifier) @def.variable)
(for_in_clause left: (identifier) @def.variable)
(pattern_list (identifier) @def.variable)
(tuple_pattern (identifier) @def.variable)
(list_pattern (identifier) @def.variable)
(global_statement (identifier) @def.variable.outer)
(nonlocal_statement (identifier) @def.variable.outer)
((dotted_name . (identifier) @def.variable .) (#inside? @def.variable "case_pattern"))
(case_pattern (as_pattern (identifier) @def.variable))
(splat_pattern (identifier) @def.variable)
; Parameters of types. The grammar calls arguments of types so, too, but these stand elsewhere.
(function_definition type_parameters: (type_parameter (type [
  (identifier) @def.class (constrained_type . (type (identifier) @def.class)) (splat_type (identifier) @def.class)])))
(class_definition type_parameters: (type_parameter (type [
  (identifier) @def.class (constrained_type . (type (identifier) @def.class)) (splat_type (identifier) @def.class)])))
(type_alias_statement left: (type (identifier) @def.class))
(type_alias_statement left: (type (generic_type (identifier) @def.class)))
(type_alias_statement left: (type (generic_type (type_parameter (type (identifier) @def.class)))))

; self.name = …, for suggestions behind "self."
((assignment left: (attribute object: (identifier) @_self attribute: (identifier) @def.member))
  (#eq? @_self "self"))

; An import that is kept on purpose says so: `import x as x`, or a try around it that looks whether it is there. One in the body
; of a class is a member.
((import_statement name: (dotted_name . (identifier) @def.import @rule.unused-import)) @whole
  (#not-inside? @whole "try_statement") (#not-within? @whole "class_definition") (#count? @whole 1))
((import_statement name: (dotted_name . (identifier) @def.import))  @_all
  (#inside? @_all "try_statement"))
((import_statement name: (dotted_name . (identifier) @def.import)) @_all
  (#not-inside? @_all "try_statement") (#within? @_all "class_definition"))
((import_statement name: (dotted_name . (identifier) @def.import @rule.unused-import)) @_all
  (#not-inside? @_all "try_statement") (#not-within? @_all "class_definition") (#not-count? @_all 1))
((aliased_import name: (dotted_name) @_name alias: (identifier) @def.import @rule.unused-import) @_all
  (#not-inside? @_all "try_statement") (#not-within? @_all "class_definition") (#not-eq? @_name @def.import))
(aliased_import alias: (identifier) @def.import)
((import_from_statement name: (dotted_name (identifier) @def.import @rule.unused-import)) @whole
  (#not-inside? @whole "try_statement") (#not-within? @whole "class_definition") (#count? @whole 2))
((import_from_statement name: (dotted_name (identifier) @def.import @rule.unused-import)) @_all
  (#not-inside? @_all "try_statement") (#not-within? @_all "class_definition") (#not-count? @_all 2))
((import_from_statement name: (dotted_name (identifier) @def.import)) @_all
  (#not-inside? @_all "try_statement") (#within? @_all "class_definition"))
((import_from_statement name: (dotted_name (identifier) @def.import)) @_all
  (#inside? @_all "try_statement"))
(future_import_statement name: (dotted_name (identifier) @def.import))

; Names that are read. What nothing in the file binds, and no builtin is, is most often misspelled.
((identifier) @ref @rule.undefined-name
  (#not-parent? @ref "attribute" "keyword_argument" "dotted_name" "aliased_import" "keyword_pattern" "parameters"
    "function_definition" "class_definition" "global_statement" "nonlocal_statement" "member_type"))
(attribute object: (identifier) @ref @rule.undefined-name)
(keyword_argument value: (identifier) @ref @rule.undefined-name)

(wildcard_import) @dynamic
; Who expects that a name is missing may ask for it.
((except_clause value: (identifier) @dynamic) (#eq? @dynamic "NameError"))
((except_clause value: (as_pattern . (identifier) @dynamic)) (#eq? @dynamic "NameError"))
((call function: (identifier) @_name) @dynamic
  (#any-of? @_name "exec" "eval" "locals" "globals" "vars" "__import__" "execfile"))
((attribute attribute: (identifier) @dynamic) (#any-of? @dynamic "__dict__"))

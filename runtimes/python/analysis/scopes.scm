; What binds a name, and where it is seen.
(function_definition) @scope
(lambda) @scope
(list_comprehension) @scope.block
(set_comprehension) @scope.block
(dictionary_comprehension) @scope.block
(generator_expression) @scope.block
; The name of an exception is gone behind its clause, but is the function's as what else is defined there.
(except_clause) @scope.clause
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

; A fixture that a test takes is named by its parameter.
((function_definition name: (identifier) @_name parameters: (parameters (identifier) @def.parameter @ref))
  (#like? @_name "test*"))

; A plain assignment in a function that nobody reads. Tuples and loops are not complained about, their names are often there
; for the shape: but for tuples that are taken apart where they are made.
((assignment left: (identifier) @def.variable.hoisted @rule.unused-variable)
  (#within? @def.variable.hoisted "function_definition"))
((assignment left: (identifier) @def.variable.hoisted)
  (#not-within? @def.variable.hoisted "function_definition"))
((assignment left: [(pattern_list (identifier) @def.variable.hoisted @rule.unused-variable)
                    (tuple_pattern (identifier) @def.variable.hoisted @rule.unused-variable)]
             right: [(expression_list) (tuple)])
  (#within? @def.variable.hoisted "function_definition"))
(except_clause value: (as_pattern alias: (as_pattern_target (identifier) @def.variable @rule.unused-exception)))
((with_item value: (as_pattern alias: (as_pattern_target (identifier) @def.variable.hoisted @rule.unused-variable)))
  (#within? @def.variable.hoisted "function_definition"))
(as_pattern alias: (as_pattern_target (identifier) @def.variable.hoisted))
(as_pattern_target [(tuple (identifier) @def.variable.hoisted) (list (identifier) @def.variable.hoisted)])
(augmented_assignment left: (identifier) @def.variable.hoisted @ref)
; What is deleted is the function's own.
(delete_statement [(identifier) @def.variable.hoisted @ref (expression_list (identifier) @def.variable.hoisted @ref)])
(named_expression name: (identifier) @def.variable.hoisted)
(for_statement left: (identifier) @def.variable.hoisted)
(for_in_clause left: (identifier) @def.variable)
([(pattern_list (identifier) @def.variable) (tuple_pattern (identifier) @def.variable) (list_pattern (identifier) @def.variable)
  (list_splat_pattern (identifier) @def.variable)]
  (#inside? @def.variable "for_in_clause"))
([(pattern_list (identifier) @def.variable.hoisted) (tuple_pattern (identifier) @def.variable.hoisted)
  (list_pattern (identifier) @def.variable.hoisted) (list_splat_pattern (identifier) @def.variable.hoisted)]
  (#not-inside? @def.variable.hoisted "for_in_clause"))
(global_statement (identifier) @def.variable.global)
(nonlocal_statement (identifier) @def.variable.nonlocal)
((dotted_name . (identifier) @def.variable.hoisted .) (#inside? @def.variable.hoisted "case_pattern"))
(case_pattern (as_pattern (identifier) @def.variable.hoisted))
(splat_pattern (identifier) @def.variable.hoisted)
; Parameters of types. The grammar calls arguments of types so, too, but these stand elsewhere.
(function_definition type_parameters: (type_parameter (type [
  (identifier) @def.class (constrained_type . (type (identifier) @def.class)) (splat_type (identifier) @def.class)])))
(class_definition type_parameters: (type_parameter (type [
  (identifier) @def.class.outer (constrained_type . (type (identifier) @def.class.outer)) (splat_type (identifier) @def.class.outer)])))
(type_alias_statement left: (type (identifier) @def.class))
(type_alias_statement left: (type (generic_type (identifier) @def.class)))
(type_alias_statement left: (type (generic_type (type_parameter (type (identifier) @def.class)))))

; self.name = …, for suggestions behind "self."
((assignment left: (attribute object: (identifier) @_self attribute: (identifier) @def.member))
  (#eq? @_self "self"))

; An import that is kept on purpose says so: `import x as x`. One in the body of a class is a member.
((import_statement name: (dotted_name . (identifier) @def.import @rule.unused-import)) @whole
  (#not-within? @whole "class_definition") (#count? @whole 1))
((import_statement name: (dotted_name . (identifier) @def.import @rule.unused-import)) @_all
  (#not-within? @_all "class_definition") (#not-count? @_all 1))
((import_statement name: (dotted_name . (identifier) @def.import)) @_all (#within? @_all "class_definition"))
((aliased_import name: (dotted_name) @_name alias: (identifier) @def.import @rule.unused-import) @_all
  (#not-within? @_all "class_definition") (#not-parent? @_all "future_import_statement") (#not-eq? @_name @def.import))
(aliased_import alias: (identifier) @def.import)
((import_from_statement name: (dotted_name (identifier) @def.import @rule.unused-import)) @whole
  (#not-within? @whole "class_definition") (#count? @whole 2))
((import_from_statement name: (dotted_name (identifier) @def.import @rule.unused-import)) @_all
  (#not-within? @_all "class_definition") (#not-count? @_all 2))
((import_from_statement name: (dotted_name (identifier) @def.import)) @_all (#within? @_all "class_definition"))
(future_import_statement name: (dotted_name (identifier) @def.import))

; An attempt to import looks whether something is there.
(try_statement (except_clause . (block))) @without.unused-import
((try_statement (except_clause value: [(identifier) @_error (tuple (identifier) @_error)
    (as_pattern . (identifier) @_error) (as_pattern . (tuple (identifier) @_error))])) @without.unused-import
  (#like? @_error "*Import*" "*import*" "ModuleNotFoundError" "Exception" "BaseException"))
((with_statement (with_clause (with_item value: (call arguments: (argument_list (identifier) @_error))))) @without.unused-import
  (#any-of? @_error "ImportError" "ModuleNotFoundError"))

; Names that are read. What nothing in the file binds, and no builtin is, is most often misspelled.
((identifier) @ref @rule.undefined-name
  (#not-parent? @ref "attribute" "keyword_argument" "dotted_name" "aliased_import" "keyword_pattern" "parameters"
    "function_definition" "class_definition" "global_statement" "nonlocal_statement" "member_type"))
(attribute object: (identifier) @ref @rule.undefined-name)
(keyword_argument value: (identifier) @ref @rule.undefined-name)

; Who expects that a name is missing may ask for it; and what is only there in one version of the language, where that is asked.
(try_statement body: (block) @without.undefined-name (except_clause . (block)))
((try_statement body: (block) @without.undefined-name (except_clause value: [(identifier) @_error (tuple (identifier) @_error)
    (as_pattern . (identifier) @_error) (as_pattern . (tuple (identifier) @_error))]))
  (#eq? @_error "NameError"))
((with_statement (with_clause (with_item value: (call arguments: (argument_list (identifier) @_error))))) @without.undefined-name
  (#eq? @_error "NameError"))
((call arguments: (argument_list . (identifier) @_error)) @without.undefined-name (#eq? @_error "NameError"))
((if_statement condition: (_) @_condition) @without.undefined-name
  (#like? @_condition "*version*" "*PY2*" "*PY3*" "*py2*" "*py3*"))
((conditional_expression (_) @_condition) @without.undefined-name
  (#like? @_condition "*version*" "PY2" "PY3" "*.PY2" "*.PY3"))

; Strings that are code, annotations, or lists of what others see.
(type) @code
((assignment left: (identifier) @_name) @code (#eq? @_name "__all__"))
((augmented_assignment left: (identifier) @_name) @code (#eq? @_name "__all__"))
((assignment type: (type) @_type) @code (#like? @_type "*TypeAlias"))
((call function: (attribute object: (identifier) @_name)) @code (#eq? @_name "__all__"))
((call function: [(identifier) @_name (attribute attribute: (identifier) @_name)] arguments: (argument_list) @code)
  (#any-of? @_name "cast" "TypeVar" "NewType" "ForwardRef" "NamedTuple" "TypedDict" "ParamSpec" "TypeVarTuple" "TypeAliasType"
    "run" "runctx" "runeval" "Timer" "timeit" "repeat" "query" "eval" "exec" "sql" "sqldf" "evaluate"))
((subscript value: [(identifier) @_name (attribute attribute: (identifier) @_name)]) @code
  (#like? @_name "[A-Z]*" "list" "dict" "tuple" "set" "frozenset" "type"))
((comment) @code (#like? @code "#*type:*"))

(wildcard_import) @dynamic.bound
; Code of which nobody knows what is in it, with the names of where it runs.
((call function: (identifier) @_name arguments: (argument_list (_) @_code) @_all) @dynamic.scope
  (#any-of? @_name "exec" "eval" "execfile") (#count? @_all 1) (#not-kind? @_code "string" "concatenated_string"))
((call function: (identifier) @_name arguments: (argument_list (_) @_code) @_all) @dynamic.scope
  (#any-of? @_name "exec" "eval" "execfile") (#count? @_all 1) (#has? @_code "interpolation"))
((call function: (identifier) @_name arguments: (argument_list [(none) (keyword_argument) (list_splat) (dictionary_splat)])) @dynamic.scope
  (#any-of? @_name "exec" "eval" "execfile"))
((call function: (identifier) @_name) @dynamic.own (#eq? @_name "locals"))
((call function: (identifier) @_name arguments: (argument_list) @_all) @dynamic.own
  (#any-of? @_name "vars" "dir") (#count? @_all 0))
((call function: (identifier) @_name) @dynamic.global (#eq? @_name "globals"))
; The module as a thing; frames.
((subscript value: (attribute attribute: (identifier) @_modules) subscript: (identifier) @_name) @dynamic.global
  (#eq? @_modules "modules") (#eq? @_name "__name__"))
((dotted_name . (identifier) @dynamic.global) (#eq? @dynamic.global "__main__"))
((attribute attribute: (identifier) @dynamic.global) (#any-of? @dynamic.global "f_globals" "__globals__"))
((attribute attribute: (identifier) @dynamic) (#any-of? @dynamic "f_locals"))
; What is put beside the builtins everybody can name.
((assignment left: (attribute object: (identifier) @_name)) @dynamic.bound (#any-of? @_name "builtins" "__builtins__" "__builtin__"))
((call function: (identifier) @_set arguments: (argument_list . (identifier) @_name)) @dynamic.bound
  (#eq? @_set "setattr") (#any-of? @_name "builtins" "__builtins__" "__builtin__"))

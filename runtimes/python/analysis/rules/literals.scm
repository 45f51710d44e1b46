((string (string_start) @_start) @here
  (#like? @_start "[fF]*" "[rR][fF]*") (#not-has? @here "interpolation") (#not-parent? @here "concatenated_string")
  (#not-has? @here "escape_interpolation") (#set! rule "f-string-without-placeholders"))

; Names may change between two uses; literals cannot.
((dictionary (pair key: [(string) (integer) (float) (true) (false) (none)] @here))
  (#not-has? @here "interpolation") (#repeated? @here) (#set! rule "repeated-key"))
((set [(string) (integer)] @here . "," . [(string) (integer)] @other)
  (#not-has? @here "interpolation") (#same? @here @other) (#set! rule "repeated-element"))

; `print` and the like with a format that nobody fills in are not touched; only the operator's own arity.
((call function: (attribute object: (string) @_text attribute: (identifier) @_format)
    arguments: (argument_list) @_arguments) @here
  (#eq? @_format "format") (#not-like? @_text "*{*") (#not-count? @_arguments 0) (#set! rule "format-without-placeholders"))

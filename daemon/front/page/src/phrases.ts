// CodeMirror's own words in Korean.
import {EditorState} from "@codemirror/state"
import type {Extension} from "@codemirror/state"

import {settings} from "./settings"

const KOREAN = {
  "Find": "찾기", "Replace": "바꾸기", "next": "다음", "previous": "이전", "all": "모두", "match case": "대소문자 구분",
  "regexp": "정규식", "by word": "단어 단위", "replace": "바꾸기", "replace all": "모두 바꾸기", "close": "닫기",
  "current match": "현재 일치 항목", "on line": "행", "replaced match on line $": "$행의 항목을 바꿈",
  "replaced $ matches": "$개를 바꿈", "Go to line": "행으로 이동", "go": "이동", "Diagnostics": "문제",
  "No diagnostics": "문제 없음", "Completions": "자동 완성", "Folded lines": "접힌 줄", "Unfolded lines": "펼친 줄",
  "to": "~", "folded code": "접힌 코드", "unfold": "펼치기", "Fold line": "접기", "Unfold line": "펼치기",
  "Selection deleted": "선택 영역 삭제됨", "Control character": "제어 문자",
}

export function phrases(): Extension {
  return settings.current.language == "ko" ? EditorState.phrases.of(KOREAN) : []
}

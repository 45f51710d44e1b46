// Reading a language's folder, strictly: a rule without a message, a message without a rule, a node
// that the grammar does not have are errors that name the place.
#include "daemon/analyst/engine/language.h"

#include "daemon/analyst/engine/budget.h"
#include "daemon/analyst/engine/deep.h"
#include "policies/strict_json.h"
#include "runtimes/grammars/grammars.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cloister::analyst {
namespace {

using strict_json::fail;
using strict_json::json;
using strict_json::Object;

constexpr std::size_t kMaxFileBytes = 4 * std::size_t{1024} * 1024;

const std::string& text_of(const Texts& texts, const std::string& name, const std::string& place) {
    const auto found = texts.find(name);
    if (found == texts.end()) fail(place, "the file " + name + " is missing");
    return found->second;
}

Spoken read_spoken(const json& value, const std::string& place) {
    Object object(value, place, true);
    Spoken spoken = {strict_json::read_text(object.need("en"), place + ".en"),
                     strict_json::read_text(object.need("ko"), place + ".ko")};
    object.done();
    return spoken;
}

Severity read_severity(const json& value, const std::string& place) {
    const std::string text = strict_json::read_text(value, place);
    if (text == "error") return Severity::error;
    if (text == "warning") return Severity::warning;
    if (text == "info") return Severity::info;
    fail(place, "expected error, warning or info, found '" + text + "'");
}

FixPlan read_fix(const json& value, const std::string& place) {
    Object object(value, place, true);
    FixPlan fix;
    fix.at = strict_json::read_text(object.need("replace"), object.place_of("replace"));
    fix.text = strict_json::read_text(object.need("with"), object.place_of("with"));
    if (const json* whole = object.take("whole_line"))
        fix.whole_line = whole->is_boolean() && *whole;
    object.done();
    return fix;
}

Rule read_rule(const std::string& id, const json& value, const std::string& place) {
    Object object(value, place, true);
    Rule rule;
    rule.id = id;
    rule.peer = strict_json::read_text(object.need("peer"), object.place_of("peer"));
    rule.severity = read_severity(object.need("severity"), object.place_of("severity"));
    rule.message = read_spoken(object.need("message"), object.place_of("message"));
    rule.suggestion = read_spoken(object.need("suggestion"), object.place_of("suggestion"));
    rule.category = strict_json::read_text(object.need("category"), object.place_of("category"));
    if (const json* syntax = object.take("syntax")) rule.syntax = syntax->is_boolean() && *syntax;
    if (const json* fix = object.take("fix")) rule.fix = read_fix(*fix, object.place_of("fix"));
    object.done();
    return rule;
}

void read_rules(const std::string& text, const std::string& place, Language& language) {
    const json parsed = strict_json::parse(text, place);
    if (!parsed.is_object()) fail(place, "expected an object { … }");
    for (const auto& item : parsed.items())
        language.rules[item.key()] = read_rule(item.key(), item.value(), place + ": " + item.key());
}

Thresholds read_thresholds(const json& value, const std::string& place) {
    Object object(value, place, true);
    Thresholds read;
    const auto take = [&](const char* key, std::uint32_t& into) {
        if (const json* found = object.take(key))
            into = static_cast<std::uint32_t>(
                strict_json::read_count(*found, object.place_of(key), 1, 1'000'000));
    };
    take("cyclomatic", read.cyclomatic);
    take("cognitive", read.cognitive);
    take("function_lines", read.function_lines);
    take("nesting", read.nesting);
    take("parameters", read.parameters);
    take("file_lines", read.file_lines);
    object.done();
    return read;
}

std::vector<Snippet> read_snippets(const json& value, const std::string& place) {
    std::vector<Snippet> snippets;
    if (!value.is_array()) fail(place, "expected a list of snippets");
    for (const json& item : value) {
        const std::string here = place + "[" + std::to_string(snippets.size()) + "]";
        Object object(item, here, true);
        Snippet snippet{.label = strict_json::read_text(object.need("label"), here + ".label"),
                        .insert = strict_json::read_text(object.need("insert"), here + ".insert"),
                        .detail = read_spoken(object.need("detail"), here + ".detail")};
        object.done();
        snippets.push_back(std::move(snippet));
    }
    return snippets;
}

/// One look at a table instead of one for each meaning.
void collect_bits(Language& language) {
    const std::pair<const Kinds*, unsigned> all[] = {
        {&language.comments, Language::kComment},
        {&language.quiet, Language::kQuiet},
        {&language.interpolated, Language::kInterpolated},
        {&language.identifiers, Language::kIdentifier},
        {&language.functions, Language::kFunction},
        {&language.impure, Language::kImpure},
        {&language.booleans, Language::kBoolean},
        {&language.wrappers, Language::kWrapper},
        {&language.parameters, Language::kParameters},
        {&language.statements, Language::kStatement},
        {&language.containers, Language::kContainer},
    };
    language.bits.assign(::ts_language_symbol_count(language.grammar), 0);
    for (std::size_t symbol = 0; symbol < language.bits.size(); ++symbol) {
        for (const auto& [kinds, bit] : all) {
            if (kinds->has(static_cast<TSSymbol>(symbol)))
                language.bits[symbol] = static_cast<std::uint16_t>(language.bits[symbol] | bit);
        }
    }
}

/// { KIND: FIELD }
void read_member_fields(const json& value, const std::string& place, Language& language) {
    if (!value.is_object()) fail(place, "expected an object { … }");
    language.member_fields.resize(::ts_language_symbol_count(language.grammar));
    for (const auto& [kind, field] : value.items()) {
        const std::string name = strict_json::read_text(field, place);
        const TSFieldId number = ::ts_language_field_id_for_name(
            language.grammar, name.data(), static_cast<std::uint32_t>(name.size()));
        const Kinds kinds(language.grammar, {kind}, place);
        if (number == 0) fail(place, "the grammar has no field '" + name + "'");
        for (std::size_t symbol = 0; symbol < language.member_fields.size(); ++symbol) {
            if (kinds.has(static_cast<TSSymbol>(symbol))) language.member_fields[symbol] = number;
        }
    }
}

ExtractPlan read_extract(const json& value, const std::string& place, const TSLanguage* grammar) {
    Object object(value, place, true);
    const auto kinds = [&](const char* key) {
        const json* found = object.take(key);
        return found == nullptr
                   ? Kinds()
                   : Kinds(grammar, strict_json::read_texts(*found, object.place_of(key)),
                           object.place_of(key));
    };
    ExtractPlan plan;
    plan.is_known = true;
    plan.blocks = kinds("blocks");
    plan.loops = kinds("loops");
    plan.jumps = kinds("jumps");
    plan.stops = kinds("stops");
    plan.writes = kinds("writes");
    plan.places = kinds("places");
    plan.declarations = kinds("declarations");
    if (const json* found = object.take("words")) {
        for (std::string& word : strict_json::read_texts(*found, object.place_of("words")))
            plan.words.insert(std::move(word));
    }
    object.done();
    return plan;
}

/// language.jsonc.
void read_language(const std::string& text, const std::string& place, Language& language) {
    const json parsed = strict_json::parse(text, place);
    Object object(parsed, place);
    const std::string grammar =
        strict_json::read_text(object.need("grammar"), object.place_of("grammar"));
    language.grammar = grammars::find(grammar);
    if (language.grammar == nullptr)
        fail(object.place_of("grammar"), "this build has no such grammar");
    const auto texts = [&](const char* key) {
        const json* found = object.take(key);
        return found == nullptr ? std::vector<std::string>{}
                                : strict_json::read_texts(*found, object.place_of(key));
    };
    const auto kinds = [&](const char* key) {
        return Kinds(language.grammar, texts(key), object.place_of(key));
    };
    language.comments = kinds("comments");
    language.quiet = kinds("quiet");
    language.interpolated = kinds("interpolated");
    language.identifiers = kinds("identifiers");
    language.functions = kinds("functions");
    language.impure = kinds("impure");
    language.booleans = kinds("booleans");
    language.wrappers = kinds("wrappers");
    language.parameters = kinds("parameters");
    language.statements = kinds("statements");
    language.words_in = kinds("words_in");
    (void)object.take("rules_of"); // read with the folders
    language.containers = kinds("containers");
    collect_bits(language);
    for (const std::string& word : texts("boolean_operators"))
        language.boolean_operators.insert(word);
    language.keywords = texts("keywords");
    language.gaps = texts("gaps");
    for (const std::string& word : texts("builtins")) language.builtins.insert(word);
    if (const json* value = object.take("thresholds"))
        language.thresholds = read_thresholds(*value, object.place_of("thresholds"));
    if (const json* value = object.take("snippets"))
        language.snippets = read_snippets(*value, object.place_of("snippets"));
    if (const json* value = object.take("extract"))
        language.extract = read_extract(*value, object.place_of("extract"), language.grammar);
    if (const json* value = object.take("member_fields"))
        read_member_fields(*value, object.place_of("member_fields"), language);
    if (const json* value = object.take("whole_scopes"))
        language.whole_scopes = value->is_boolean() && *value;
    if (const json* value = object.take("prompt"))
        language.prompt = strict_json::read_text(*value, object.place_of("prompt"));
    language.body = ::ts_language_field_id_for_name(language.grammar, "body", 4);
    if (const json* value = object.take("macros")) language.macros = value->is_boolean() && *value;
    if (const json* value = object.take("names_in_comments"))
        language.names_in_comments = value->is_boolean() && *value;
    if (const json* value = object.take("receiver"))
        language.receiver = strict_json::read_text(*value, object.place_of("receiver"));
    if (const json* value = object.take("header_lines"))
        language.header_lines = strict_json::read_text(*value, object.place_of("header_lines"));
    if (const json* value = object.take("ignored_prefix"))
        language.ignored_prefix = strict_json::read_text(*value, object.place_of("ignored_prefix"));
    object.done();
}

/// members.json: { module: { name: detail } }, as the command that makes it writes it.
void read_members(const std::string& text, const std::string& place, Language& language) {
    const json parsed = strict_json::parse(text, place);
    if (!parsed.is_object()) fail(place, "expected an object { … }");
    for (const auto& [module, names] : parsed.items()) {
        if (!names.is_object()) fail(place + ": " + module, "expected an object { … }");
        std::vector<Member>& members = language.members[module];
        for (const auto& [name, detail] : names.items())
            members.push_back({name, strict_json::read_text(detail, place + ": " + module)});
    }
}

/// What each capture's name says; the names are listed at the top of facts.cpp.
Language::Capture read_capture(const Language& language, std::string_view name,
                               const std::string& place) {
    using Is = Language::Capture::Is;
    static constexpr std::pair<std::string_view, Is> kNames[] = {
        {"here", Is::here},        {"scope", Is::scope},         {"scope.block", Is::block},
        {"scope.class", Is::type}, {"scope.clause", Is::clause}, {"ref", Is::reference},
        {"code", Is::code},        {"whole", Is::whole},         {"function", Is::function},
        {"name", Is::name},        {"class", Is::of_class},      {"decision", Is::decision},
        {"nest", Is::nest},        {"flat", Is::flat},           {"deeper", Is::deeper}};
    using Reach = Language::Reach;
    static constexpr std::pair<std::string_view, Reach> kReaches[] = {
        {"dynamic", Reach::all},
        {"dynamic.scope", Reach::scope},
        {"dynamic.own", Reach::own},
        {"dynamic.global", Reach::global},
        {"dynamic.bound", Reach::bound}};
    Language::Capture made;
    for (const auto& [known, is] : kNames) {
        if (name == known) made.is = is;
    }
    for (const auto& [known, reach] : kReaches) {
        if (name != known) continue;
        made.is = Is::dynamic;
        made.reach = reach;
    }
    const bool is_without = name.starts_with("without.");
    if (is_without || name.starts_with("rule.")) {
        made.is = is_without ? Is::without : Is::rule;
        const std::string_view id = name.substr(name.find('.') + 1);
        made.rule = language.rule(id);
        if (made.rule == nullptr) fail(place, "no rule is called '" + std::string(id) + "'");
    } else if (name.starts_with("def.")) {
        made.is = Is::define;
        made.kind = name.substr(4);
        made.outer = made.kind.ends_with(".outer");
        made.hoisted = made.kind.ends_with(".hoisted");
        made.global = made.kind.ends_with(".global");
        made.free = made.global || made.kind.ends_with(".nonlocal");
        made.kind = made.kind.substr(0, made.kind.find('.'));
    }
    return made;
}

/// A rule that is told where to say nothing gets a mark for it.
void mark_silence(Language& language, const Rule& rule, const std::string& place) {
    unsigned next = Language::kFirstSilence;
    for (const auto& [id, one] : language.rules) next = std::max(next, one.silence * 2U);
    if (next > 0xFF) fail(place + "/scopes.scm", "too many rules are told where to say nothing");
    language.rules.find(rule.id)->second.silence = static_cast<std::uint8_t>(next);
}

/// Every pattern names a rule that is described, every rule has a pattern.
void connect_rules(Language& language, const std::string& place) {
    std::set<const Rule*> used;
    for (const std::string& name : language.query.captures()) {
        const Language::Capture made = read_capture(language, name, place + "/scopes.scm");
        language.captures.push_back(made);
        if (made.is != Language::Capture::Is::without) used.insert(made.rule);
        else mark_silence(language, *made.rule, place);
    }
    for (std::uint32_t i = language.first_rule; i < language.first_metric; ++i) {
        const std::string where =
            place + "/rules, pattern " + std::to_string(i - language.first_rule + 1);
        const std::string& id = language.query.property(i, "rule");
        if (id.empty()) fail(where, "does not say which rule it is of");
        const Rule* rule = language.rule(id);
        if (rule == nullptr) fail(where, "no rule is called '" + id + "'");
        used.insert(rule);
        language.pattern_rules.push_back(rule);
    }
    if (language.first_metric > language.first_rule &&
        language.query.capture("here") == ~std::uint32_t{0})
        fail(place, "no pattern captures @here");
    for (const auto& [id, rule] : language.rules) {
        if (!used.contains(&rule))
            fail(place + "/rules.jsonc", "no pattern is of the rule '" + id + "'");
    }
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file || text.view().size() > kMaxFileBytes) fail(path.string(), "cannot be read");
    return std::move(text).str();
}

Texts read_folder(const std::filesystem::path& folder) {
    Texts texts;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_regular_file())
            texts[entry.path().filename().string()] = read_file(entry.path());
    }
    const auto rules = folder / "rules";
    if (!std::filesystem::is_directory(rules)) return texts;
    for (const auto& entry : std::filesystem::directory_iterator(rules)) {
        if (entry.path().extension() == ".scm")
            texts["rules/" + entry.path().filename().string()] = read_file(entry.path());
    }
    return texts;
}

constexpr const char* kSharedRules = "rules of another language";

/// "rules_of": another language's rules.jsonc and rules/shared*.scm are this one's, too.
void share_rules(std::map<std::string, Texts>& folders) {
    for (auto& [id, texts] : folders) {
        const json parsed = strict_json::parse(text_of(texts, "language.jsonc", id), id);
        const auto named = parsed.is_object() ? parsed.find("rules_of") : parsed.end();
        if (named == parsed.end()) continue;
        const std::string place = id + "/language.jsonc: rules_of";
        const std::string owner = strict_json::read_text(*named, place);
        const auto found = folders.find(owner);
        if (found == folders.end() || owner == id) fail(place, "no such language: " + owner);
        texts[kSharedRules] = text_of(found->second, "rules.jsonc", owner);
        for (const auto& [name, text] : found->second) {
            if (name.starts_with("rules/shared")) texts[name + " of " + owner] = text;
        }
    }
}

Languages load_all(std::map<std::string, Texts> folders, const std::string& common) {
    share_rules(folders);
    Languages languages;
    for (const auto& [id, texts] : folders) languages[id] = load_language(id, texts, common);
    return languages;
}

} // namespace

Kinds::Kinds(const TSLanguage* language, const std::vector<std::string>& names,
             const std::string& place)
    : has_(::ts_language_symbol_count(language)) {
    for (const std::string& name : names) {
        bool found = false;
        for (std::size_t symbol = 0; symbol < has_.size(); ++symbol) {
            const char* known = ::ts_language_symbol_name(language, static_cast<TSSymbol>(symbol));
            if (known == nullptr || name != known) continue;
            has_[symbol] = found = true;
        }
        if (!found) fail(place, "the grammar has no node '" + name + "'");
    }
}

const Rule* Language::rule(std::string_view name) const {
    const auto found = rules.find(name);
    return found == rules.end() ? nullptr : &found->second;
}

const std::string& Language::word(const std::string& name, Tongue tongue) const {
    return words.at(name).at(static_cast<std::size_t>(tongue));
}

std::unique_ptr<const Language> load_language(const std::string& id, const Texts& texts,
                                              const std::string& common) {
    count_allocations();
    auto language = std::make_unique<Language>();
    language->id = id;
    read_language(text_of(texts, "language.jsonc", id), id + "/language.jsonc", *language);
    for (const char* rules : {kSharedRules, "rules.jsonc"}) {
        if (const auto found = texts.find(rules); found != texts.end())
            read_rules(found->second, id + "/" + rules, *language);
    }
    if (language->rules.empty()) fail(id, "there are no rules");
    if (const auto members = texts.find("members.json"); members != texts.end())
        read_members(members->second, id + "/members.json", *language);
    if (const auto deep = texts.find("deep.jsonc"); deep != texts.end())
        language->deep = read_deep_plan(deep->second, id + "/deep.jsonc", language->rules);
    const json words = strict_json::parse(common, "common.jsonc");
    for (const auto& item : words.items())
        language->words[item.key()] = read_spoken(item.value(), "common.jsonc: " + item.key());
    std::vector<QueryPiece> pieces = {{id + "/scopes.scm", text_of(texts, "scopes.scm", id)}};
    language->names = Query(language->grammar, pieces);
    for (const auto& [name, text] : texts) {
        if (name.starts_with("rules/")) pieces.push_back({id + "/" + name, text});
    }
    pieces.push_back({id + "/metrics.scm", text_of(texts, "metrics.scm", id)});
    language->query = Query(language->grammar, pieces);
    language->first_rule = language->query.first_of(1);
    language->first_metric = language->query.first_of(pieces.size() - 1);
    connect_rules(*language, id);
    return language;
}

Languages load_languages(const std::string& folder) {
    std::map<std::string, Texts> folders;
    const std::filesystem::path root(folder);
    const std::string common = read_file(root / "common.jsonc");
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
        if (entry.is_directory())
            folders[entry.path().filename().string()] = read_folder(entry.path());
    }
    return load_all(std::move(folders), common);
}

Languages load_languages_of_runtimes(const std::string& folder) {
    std::map<std::string, Texts> folders;
    const std::filesystem::path root(folder);
    const std::string common = read_file(root / "grammars" / "common.jsonc");
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
        if (std::filesystem::is_directory(entry.path() / "analysis"))
            folders[entry.path().filename().string()] = read_folder(entry.path() / "analysis");
    }
    return load_all(std::move(folders), common);
}

} // namespace cloister::analyst

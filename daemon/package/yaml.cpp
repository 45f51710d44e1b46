// yaml-cpp tells what it reads event by event; the tree is built here, so that every node is
// counted before it exists. The library itself stops at some hundreds of levels.
#include "daemon/package/yaml.h"

#include "daemon/package/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace cloister::package {

/// Open lists and maps are a stack; what is complete goes into the one on top.
class YamlBuilder : public YAML::EventHandler {
public:
    explicit YamlBuilder(const std::string& where) : where_(where) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t anchor) override { add({}, anchor); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) refuse(mark, "an alias of what is not complete");
        Yaml copy = found->second;
        count(copy);
        add(std::move(copy), 0);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        Yaml one;
        one.quoted_ = tag == "!";
        const bool is_null = !one.quoted_ && (value.empty() || value == "~" || value == "null" ||
                                              value == "Null" || value == "NULL");
        one.kind_ = is_null ? Yaml::Kind::nothing : Yaml::Kind::text;
        one.text_ = value;
        if (value.find('\0') != std::string::npos) refuse(mark, "a NUL character");
        add(std::move(one), anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, Yaml::Kind::list, anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, Yaml::Kind::map, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

    Yaml take() { return std::move(root_); }

private:
    struct Open {
        Yaml node{};
        YAML::anchor_t anchor = 0;
        std::optional<std::string> key{};
    };

    [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) const {
        wrong(where_, "line " + std::to_string(mark.line + 1) + ": " + what);
    }

    void count(const Yaml& node, std::size_t depth = 1) {
        if (++nodes_ > kMaxYamlNodes)
            wrong(where_, "more than " + std::to_string(kMaxYamlNodes) + " values");
        if (open_.size() + depth > kMaxYamlDepth)
            wrong(where_, "nested deeper than " + std::to_string(kMaxYamlDepth) + " levels");
        for (const Yaml& item : node.items_) count(item, depth + 1);
        for (const auto& [key, member] : node.members_) count(member, depth + 1);
    }

    void open(const YAML::Mark& mark, Yaml::Kind kind, YAML::anchor_t anchor) {
        if (!open_.empty() && open_.back().node.kind_ == Yaml::Kind::map && !open_.back().key)
            refuse(mark, "a key that is no text");
        if (open_.size() >= kMaxYamlDepth)
            refuse(mark, "nested deeper than " + std::to_string(kMaxYamlDepth) + " levels");
        Open fresh;
        fresh.node.kind_ = kind;
        fresh.anchor = anchor;
        open_.push_back(std::move(fresh));
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        add(std::move(done.node), done.anchor);
    }

    void add(Yaml node, YAML::anchor_t anchor) {
        if (++nodes_ > kMaxYamlNodes)
            wrong(where_, "more than " + std::to_string(kMaxYamlNodes) + " values");
        if (anchor != 0) anchors_[anchor] = node;
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& top = open_.back();
        if (top.node.kind_ == Yaml::Kind::list) {
            top.node.items_.push_back(std::move(node));
        } else if (!top.key) {
            if (node.kind_ == Yaml::Kind::list || node.kind_ == Yaml::Kind::map)
                wrong(where_, "a key that is no text");
            const auto same = [&](const auto& member) { return member.first == node.text_; };
            if (std::ranges::any_of(top.node.members_, same))
                wrong(where_, "'" + node.text_ + "' is given twice");
            top.key = node.text_;
        } else {
            top.node.members_.emplace_back(*std::exchange(top.key, std::nullopt), std::move(node));
        }
    }

    std::string where_;
    Yaml root_{};
    std::vector<Open> open_{};
    std::map<YAML::anchor_t, Yaml> anchors_{};
    std::size_t nodes_ = 0;
};

Yaml Yaml::parse(const std::string& text, const std::string& where) {
    if (text.size() > kMaxYamlBytes)
        package::wrong(where, "larger than " + std::to_string(kMaxYamlBytes) + " bytes");
    YamlBuilder builder(where);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        (void)parser.HandleNextDocument(builder);
    } catch (const YAML::Exception& error) {
        package::wrong(where, "line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
    }
    Yaml root = builder.take();
    root.place(where + ":");
    return root;
}

void Yaml::place(const std::string& where) {
    where_ = where;
    const bool top = where.ends_with(':');
    for (std::size_t i = 0; i < items_.size(); ++i)
        items_[i].place(where + "[" + std::to_string(i) + "]");
    for (auto& [key, member] : members_) member.place(where + (top ? " " : ".") + key);
}

void Yaml::wrong(const std::string& what) const {
    package::wrong(where_.ends_with(':') ? where_.substr(0, where_.size() - 1) : where_, what);
}

const Yaml* Yaml::find(std::string_view key) const {
    if (kind_ == Kind::nothing) return nullptr;
    if (kind_ != Kind::map) wrong("expected a map");
    const auto found =
        std::ranges::find_if(members_, [&](const auto& m) { return m.first == key; });
    return found == members_.end() || found->second.is_nothing() ? nullptr : &found->second;
}

std::string Yaml::text() const {
    if (kind_ != Kind::text) wrong("expected a text");
    return text_;
}

bool Yaml::flag() const {
    const bool plain = kind_ == Kind::text && !quoted_;
    if (plain && (text_ == "true" || text_ == "True" || text_ == "yes" || text_ == "on"))
        return true;
    if (plain && (text_ == "false" || text_ == "False" || text_ == "no" || text_ == "off"))
        return false;
    wrong("expected true or false");
}

double Yaml::number(double least, double most) const {
    double value = 0;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data(), end, value);
    const bool good = kind_ == Kind::text && error == std::errc{} && stop == end;
    if (!good || !(value >= least && value <= most)) {
        std::ostringstream range;
        range << "expected a number from " << least << " to " << most;
        wrong(range.str());
    }
    return value;
}

std::uint64_t Yaml::whole(std::uint64_t least, std::uint64_t most) const {
    const double value = number(static_cast<double>(least), static_cast<double>(most));
    if (value != std::floor(value)) wrong("expected a whole number");
    return static_cast<std::uint64_t>(value);
}

std::vector<std::string> Yaml::texts() const {
    if (kind_ == Kind::nothing) return {};
    if (kind_ == Kind::text) return {text_};
    if (kind_ != Kind::list) wrong("expected a list of texts");
    std::vector<std::string> all;
    for (const Yaml& item : items_) all.push_back(item.text());
    return all;
}

void Yaml::allow_only(const std::vector<std::string_view>& keys) const {
    if (kind_ != Kind::map && kind_ != Kind::nothing) wrong("expected a map");
    for (const auto& [key, member] : members_) {
        if (std::ranges::find(keys, key) == keys.end()) wrong("there is no key '" + key + "'");
    }
}

} // namespace cloister::package

// Reading requests. The front is not trusted either: what does not fit is an error of that request.
#include "daemon/analyst/engine/requests.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace cloister::analyst {
namespace {

using nlohmann::json;

std::uint32_t whole_of(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_unsigned()) return 0;
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(found->get<std::uint64_t>(), 0x7fffffff));
}

Asked read_asked(const json& request) {
    Asked asked;
    request.at("file_path").get_to(asked.file_path);
    if (request.at("lang").get<std::string>() == "ko") asked.tongue = Tongue::ko;
    asked.position = {.line = whole_of(request, "line"), .column = whole_of(request, "column")};
    if (const auto checked = request.find("checked"); checked != request.end()) {
        asked.checked.emplace();
        checked->at("problem").get_to(asked.checked->problem);
        checked->at("exit_code").get_to(asked.checked->exit_code);
        checked->at("output").get_to(asked.checked->output);
    }
    return asked;
}

} // namespace

bool Reader::take_request(std::string_view text) {
    const json request = json::parse(text);
    asked_ = read_asked(request);
    is_analysis_ = request.at("kind").get<std::string>() == "analysis";
    begin_ = Clock::now();
    budget_.emplace();
    if (const auto edit = request.find("edit"); edit != request.end()) {
        if (!can_follow()) throw std::runtime_error("nothing is kept that could be edited");
        const auto inserted = edit->at("text").get<std::string>();
        is_whole_ = document_->edit(whole_of(*edit, "start"), whole_of(*edit, "removed"), inserted,
                                    *budget_);
        return true;
    }
    const auto language = languages_.find(request.at("language").get<std::string>());
    if (language == languages_.end()) {
        error_ = "unknown_language";
        return false;
    }
    document_ = std::make_unique<Document>(*language->second);
    is_whole_ = document_->set(request.at("content").get<std::string>(), *budget_);
    return true;
}

bool Reader::take(std::string_view request) {
    error_.clear();
    try {
        if (take_request(request)) return true;
    } catch (const std::exception&) {
        error_ = "bad_request";
    }
    document_.reset();
    return false;
}

std::string_view Reader::text() const {
    return document_ != nullptr ? std::string_view(document_->text()) : std::string_view();
}

std::string Reader::answer() {
    if (!error_.empty()) return R"({"error":")" + error_ + R"("})";
    const auto whole = [&](const char* key, const std::string& value) {
        return R"({")" + std::string(key) + R"(":)" + value + "}";
    };
    if (is_analysis_) {
        return whole("analysis", is_whole_
                                     ? analysis_of(*document_, asked_.tongue, begin_, *budget_,
                                                   asked_.checked ? &*asked_.checked : nullptr)
                                     : without_tree(document_->language(), text()));
    }
    return whole("suggestions",
                 is_whole_ ? suggestions_of(*document_, asked_.position, asked_.tongue, *budget_)
                           : "[]");
}

std::string answer(const Languages& languages, std::string_view request) {
    Reader reader(languages);
    (void)reader.take(request);
    return reader.answer();
}

} // namespace cloister::analyst

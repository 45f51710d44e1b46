// Which words of a command are holes.
#include "daemon/keeper/command.h"

#include <map>
#include <string_view>

namespace cloister::keeper {

Command::Command(const std::vector<std::string>& words) {
    using Kind = isolate::Word::Kind;
    static const std::map<std::string_view, Kind> kHoles = {{"{entry}", Kind::entry},
                                                            {"{main}", Kind::main_name},
                                                            {"{sources}", Kind::sources},
                                                            {"{args}", Kind::arguments},
                                                            {"{options}", Kind::options}};
    constexpr std::string_view kMemory = "{memory_mib}";
    const auto keep = [&](std::string_view text) {
        std::vector<char>& kept = texts_.emplace_back(text.begin(), text.end());
        kept.push_back('\0');
        return kept.data();
    };
    for (const std::string& word : words) {
        isolate::Word made;
        if (const auto hole = kHoles.find(word); hole != kHoles.end()) {
            made.kind = hole->second;
        } else if (const auto at = word.find(kMemory); at != std::string::npos) {
            made.kind = Kind::memory;
            made.text = keep(std::string_view(word).substr(0, at));
            made.after = keep(std::string_view(word).substr(at + kMemory.size()));
        } else {
            made.text = keep(word);
        }
        words_.push_back(made);
    }
}

} // namespace cloister::keeper

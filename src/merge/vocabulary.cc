#include "merge/vocabulary.h"

#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>

namespace heft::merge {

namespace {

using text::TokenId;
using text::TokenKind;

struct Known {
    std::unique_ptr<text::Tokenizer> tokenizer;              // nullptr: none that can be read
    std::int64_t n_rows = 0;                                 // of the embeddings
    std::unordered_map<std::string_view, std::int32_t> ids;  // of tokens that have a row
};

std::int64_t embedding_rows(const Model& model) {
    for (const ModelTensor& tensor : model.tensors)
        if (tensor.by_token && !tensor.is_output) return rows_of(tensor.shape);
    return 0;
}

Known know(const Model& model) {
    Known out;
    out.n_rows = embedding_rows(model);
    auto loaded = text::Tokenizer::load(*model.checkpoint);
    if (!loaded) return out;
    out.tokenizer = std::make_unique<text::Tokenizer>(std::move(*loaded));
    const std::int64_t n = std::min<std::int64_t>(out.tokenizer->size(), out.n_rows);
    for (std::int32_t id = 0; id < n; ++id)
        if (const auto piece = out.tokenizer->piece(id); !piece.empty()) out.ids.emplace(piece, id);
    return out;
}

// Those at the end that stand for nothing, as GGUF files have them for padding rows, do not count.
int tokens_of(const text::Tokenizer& tokenizer) {
    int n = tokenizer.size();
    while (n > 0 && tokenizer.kind(n - 1) == TokenKind::unused) --n;
    return n;
}

class Planner {
  public:
    Planner(const Recipe& recipe, const std::vector<Model>& models)
        : recipe_(recipe), models_(models) {
        for (const Model& model : models) known_.push_back(know(model));
    }

    Result<Vocabulary> plan(bool allow_differences) {
        if (recipe_.tokenizer.chosen) {
            HEFT_OK(choose());
            return std::move(out_);
        }
        HEFT_OK(keep(allow_differences));
        return std::move(out_);
    }

  private:
    std::string title(std::size_t m) const { return models_[m].reference; }

    // The base's tokenizer as it is, where that does no harm.
    Status keep(bool allow_differences) {
        const Known& base = known_[0];
        out_.n_rows = base.n_rows;
        for (const Known& known : known_)
            if (known.n_rows > 0) out_.n_rows = std::min(out_.n_rows, known.n_rows);
        for (std::size_t m = 0; m < known_.size(); ++m)
            if (!known_[m].tokenizer)
                note(title(m) + " has no tokenizer that can be read: its vocabulary is taken to be "
                                "the others'");
        const int n_tokens = base.tokenizer ? tokens_of(*base.tokenizer) : 0;
        if (out_.n_rows < base.n_rows && n_tokens > out_.n_rows)
            return differs("have matrices for " + std::to_string(base.n_rows) + " and "
                               + std::to_string(out_.n_rows) + " tokens, and the tokenizer of "
                               + title(0) + " has " + std::to_string(n_tokens),
                           allow_differences);
        for (std::size_t m = 1; m < known_.size(); ++m)
            if (const std::string why = difference(m); !why.empty())
                HEFT_OK(differs(why, allow_differences));
        if (out_.n_rows < base.n_rows)
            note("rows of the embeddings beyond token " + std::to_string(out_.n_rows - 1)
                 + ", which stand for no token of all models, are left out");
        return {};
    }

    std::string difference(std::size_t m) const {
        const Known& base = known_[0];
        const Known& other = known_[m];
        if (!base.tokenizer || !other.tokenizer) return {};
        const int n = std::min({tokens_of(*base.tokenizer), tokens_of(*other.tokenizer),
                                static_cast<int>(out_.n_rows)});
        for (int id = 0; id < n; ++id) {
            const auto a = base.tokenizer->piece(id);
            const auto b = other.tokenizer->piece(id);
            if (a == b) continue;
            return "token " + std::to_string(id) + " is \"" + std::string(a.substr(0, 40))
                   + "\" for " + title(0) + " and \"" + std::string(b.substr(0, 40)) + "\" for "
                   + title(m);
        }
        return {};
    }

    Status differs(const std::string& how, bool allow_differences) {
        const std::string what = "the models' vocabularies differ: " + how;
        if (!allow_differences)
            return Error{Code::invalid, what + "; write `tokenizer: {source: union}` (or a model) "
                                               "into the recipe, or allow it with --allow-crimes"};
        note(what);
        return {};
    }

    Status choose() {
        for (std::size_t m = 0; m < known_.size(); ++m)
            if (!known_[m].tokenizer)
                return at_line(title(m) + " has no tokenizer that can be read");
        const std::string& source = recipe_.tokenizer.source;
        const bool is_union = source == "union";
        if (!is_union && source != "base") {
            const auto named =
                std::find_if(models_.begin(), models_.end(),
                             [&](const Model& model) { return model.reference == source; });
            if (named == models_.end())
                return at_line("the tokenizer is to be that of \"" + source
                               + "\", which is not one of the models");
            out_.tokenizer_of = static_cast<int>(named - models_.begin());
        }
        const text::Tokenizer& first =
            *known_[static_cast<std::size_t>(out_.tokenizer_of)].tokenizer;
        for (TokenId id = 0; id < first.size(); ++id) tokens_.emplace_back(first.piece(id));
        for (std::size_t i = 0; i < tokens_.size(); ++i) places_.emplace(tokens_[i], i);
        if (is_union)
            for (std::size_t m = 0; m < known_.size(); ++m) add_tokens_of(m);
        for (const auto& [token, choice] : recipe_.tokenizer.tokens)
            if (!places_.contains(token)) add(token, true, true);
        pad();
        if (is_as_before()) {
            out_.n_rows = known_[0].n_rows;
            return {};
        }
        out_.is_changed = true;
        out_.n_rows = static_cast<std::int64_t>(tokens_.size());
        return place_rows();
    }

    Error at_line(const std::string& what) const {
        return {Code::invalid, "line " + std::to_string(recipe_.tokenizer.line) + ": " + what};
    }

    void add(const std::string& token, bool is_control, bool is_whole) {
        out_.added.push_back({token, static_cast<int>(tokens_.size()), is_control, is_whole});
        places_.emplace(token, tokens_.size());
        tokens_.push_back(token);
    }

    void add_tokens_of(std::size_t m) {
        const text::Tokenizer& tokenizer = *known_[m].tokenizer;
        std::size_t unmerged = 0;
        for (TokenId id = 0; id < tokenizer.size(); ++id) {
            const std::string piece(tokenizer.piece(id));
            const TokenKind kind = tokenizer.kind(id);
            if (piece.empty() || kind == TokenKind::unused || places_.contains(piece)) continue;
            const bool is_control = kind == TokenKind::control;
            const bool is_whole = is_control || kind == TokenKind::user_defined;
            unmerged += is_whole ? 0 : 1;
            add(piece, is_control, is_whole);
        }
        if (unmerged > 0)
            note(std::to_string(unmerged) + " tokens of " + title(m)
                 + " enter the vocabulary as whole pieces of text: merge rules of two tokenizers "
                   "cannot be joined");
    }

    void pad() {
        const int multiple = recipe_.tokenizer.pad_to_multiple_of;
        if (multiple < 1) return;
        const auto step = static_cast<std::size_t>(multiple);
        tokens_.resize((tokens_.size() + step - 1) / step * step);
    }

    // One vocabulary for all, and nothing else asked for: padding rows stay too.
    bool is_as_before() const {
        if (!out_.added.empty() || recipe_.tokenizer.pad_to_multiple_of > 0
            || out_.tokenizer_of != 0)
            return false;
        for (const auto& [token, choice] : recipe_.tokenizer.tokens)
            if (choice.force) return false;
        for (std::size_t m = 0; m < known_.size(); ++m)
            if (known_[m].n_rows != known_[0].n_rows
                || known_[m].tokenizer->size() != known_[0].tokenizer->size()
                || !difference_free(m))
                return false;
        return true;
    }
    bool difference_free(std::size_t m) const {
        const text::Tokenizer& a = *known_[0].tokenizer;
        const text::Tokenizer& b = *known_[m].tokenizer;
        for (TokenId id = 0; id < a.size(); ++id)
            if (a.piece(id) != b.piece(id)) return false;
        return true;
    }

    Status place_rows() {
        out_.rows.assign(known_.size(), std::vector<std::int32_t>(tokens_.size(), -1));
        out_.stand_in.resize(tokens_.size());
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (tokens_[i].empty()) continue;
            std::vector<Vocabulary::Row> holders;
            for (std::size_t m = 0; m < known_.size(); ++m) {
                const auto found = known_[m].ids.find(tokens_[i]);
                if (found == known_[m].ids.end()) continue;
                out_.rows[m][i] = found->second;
                holders.push_back({static_cast<int>(m), found->second});
            }
            // Where the base has it, the base's; else the mean of those that have it.
            if (!holders.empty() && holders.front().model == 0) holders.resize(1);
            out_.stand_in[i] = std::move(holders);
        }
        for (const auto& [token, choice] : recipe_.tokenizer.tokens) HEFT_OK(apply(token, choice));
        return {};
    }

    Status apply(const std::string& token, const TokenChoice& choice) {
        const std::size_t i = places_.at(token);
        if (!choice.zero && choice.model.empty()) return {};  // only that there is such a token
        std::vector<Vocabulary::Row> from;
        if (!choice.zero) {
            const auto named =
                std::find_if(models_.begin(), models_.end(),
                             [&](const Model& model) { return model.reference == choice.model; });
            if (named == models_.end())
                return at_line("token \"" + token + "\" is to come from \"" + choice.model
                               + "\", which is not one of the models");
            const auto m = static_cast<std::size_t>(named - models_.begin());
            const Known& known = known_[m];
            const auto found = known.ids.find(choice.token.empty() ? token : choice.token);
            const bool by_id = choice.token_id && *choice.token_id < known.n_rows;
            if (!by_id && found == known.ids.end())
                return at_line(choice.model + " has no token \""
                               + (choice.token.empty() ? token : choice.token) + "\"");
            from.push_back({static_cast<int>(m), by_id ? *choice.token_id : found->second});
        }
        out_.stand_in[i] = std::move(from);
        if (choice.force)
            for (auto& rows : out_.rows) rows[i] = -1;
        return {};
    }

    void note(const std::string& what) { out_.notes.push_back(what); }

    const Recipe& recipe_;
    const std::vector<Model>& models_;
    std::vector<Known> known_;
    std::vector<std::string> tokens_;  // of the result; empty: padding
    std::map<std::string, std::size_t, std::less<>> places_;
    Vocabulary out_;
};

}  // namespace

Result<Vocabulary> plan_vocabulary(const Recipe& recipe, const std::vector<Model>& models,
                                   bool allow_differences) {
    return Planner(recipe, models).plan(allow_differences);
}

ReadRows by_token(const Vocabulary& vocabulary, int model, std::vector<ReadRows> models,
                  std::int64_t n_columns) {
    return [&vocabulary, model, models = std::move(models), n_columns](
               std::int64_t first, std::int64_t count, float* to) {
        const auto& own = vocabulary.rows[static_cast<std::size_t>(model)];
        std::vector<float> one(static_cast<std::size_t>(n_columns));
        for (std::int64_t r = first; r < first + count; ++r, to += n_columns) {
            const auto i = static_cast<std::size_t>(r);
            if (own[i] >= 0) {
                models[static_cast<std::size_t>(model)](own[i], 1, to);
                continue;
            }
            std::fill(to, to + n_columns, 0.0F);
            const auto& from = vocabulary.stand_in[i];
            for (const Vocabulary::Row& row : from) {
                const ReadRows& read = models[static_cast<std::size_t>(row.model)];
                if (!read) continue;  // has no such matrix
                read(row.row, 1, one.data());
                for (std::size_t c = 0; c < one.size(); ++c)
                    to[c] += one[c] / static_cast<float>(from.size());
            }
        }
    };
}

}  // namespace heft::merge

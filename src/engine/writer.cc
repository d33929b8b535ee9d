#include "engine/writer.h"

#include <utility>

namespace heft::engine {

Writer::Writer(const Request& request, Reply& reply)
    : request_(&request), reply_(&reply), filter_(request.stop) {
    stop_.strings = request.stop;
    stop_.max_tokens = request.n_predict;
}

Result<Writer> Writer::make(const Engine& engine, const Request& request, Reply& reply) {
    Writer writer(request, reply);
    if (request.decode_text) {
        HEFT_TRY(const text::Tokenizer* words, engine.tokenizer());
        if (!request.ignore_eos) writer.stop_.tokens = words->special().end_of_generation;
        writer.decoder_.emplace(*words);
    }
    return writer;
}

void Writer::show(const std::string& text, TokenId id) {
    reply_->text += text;
    if (request_->on_token) request_->on_token(text, id);
}

std::optional<gen::FinishReason> Writer::add(gen::Choice choice) {
    const TokenId id = choice.id;
    reply_->ids.push_back(id);
    if (request_->on_choice) request_->on_choice(choice);
    if (request_->sampling.logprobs) reply_->choices.push_back(std::move(choice));
    const auto finish = gen::finished(stop_, id, static_cast<int>(reply_->ids.size()));
    const bool ends = finish == gen::FinishReason::stop_token;
    if (decoder_ && !ends) show(filter_.push(decoder_->push(id)), id);
    if (!decoder_ && request_->on_token) request_->on_token({}, id);
    if (filter_.stopped()) return gen::FinishReason::stop_string;
    return finish;
}

void Writer::finish() {
    if (decoder_) show(filter_.push(decoder_->finish()) + filter_.finish(), text::kNoToken);
}

}  // namespace heft::engine

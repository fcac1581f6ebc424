"""The messages of answers: which fields there are, for the masks that choose among them.

From the same descriptors as `_schema`, and from google-genai 3.4.0 and answers in public
transcripts where those have more. A field that holds no other message is empty here; what is
in one that is ``any`` is anybody's guess.
"""

from __future__ import annotations

from typing import Any

ANY = "any"
Fields = dict[str, Any]


def _leaves(names: str) -> Fields:
    return {name: {} for name in names.split()}


_BLOB = _leaves("mime_type data display_name")
_RATING = _leaves("category probability blocked")
_PART: Fields = {
    **_leaves("text thought thought_signature"),
    "inline_data": _BLOB,
    "file_data": _leaves("mime_type file_uri display_name"),
    "function_call": {**_leaves("id name"), "args": ANY},
    "function_response": {**_leaves("id name will_continue scheduling"), "response": ANY},
    "executable_code": _leaves("language code id"),
    "code_execution_result": _leaves("outcome output id"),
    "video_metadata": _leaves("start_offset end_offset fps"),
    "part_metadata": ANY,
    "tool_call": ANY,
    "tool_response": ANY,
}
_CONTENT: Fields = {"parts": _PART, "role": {}}
_TOKENS = _leaves("modality token_count")
_CHANCES = _leaves("token token_id log_probability")
_CANDIDATE: Fields = {
    **_leaves("index finish_reason finish_message token_count avg_logprobs"),
    "content": _CONTENT,
    "safety_ratings": _RATING,
    "citation_metadata": {"citation_sources": _leaves("start_index end_index uri license")},
    "grounding_attributions": {"source_id": ANY, "content": _CONTENT},
    "grounding_metadata": {
        "search_entry_point": _leaves("rendered_content sdk_blob"),
        "grounding_chunks": ANY,
        "grounding_supports": {
            "segment": _leaves("part_index start_index end_index text"),
            **_leaves("grounding_chunk_indices confidence_scores"),
        },
        "retrieval_metadata": _leaves("google_search_dynamic_retrieval_score"),
        "web_search_queries": {},
    },
    "url_context_metadata": {"url_metadata": _leaves("retrieved_url url_retrieval_status")},
    "logprobs_result": {
        "top_candidates": {"candidates": _CHANCES},
        "chosen_candidates": _CHANCES,
    },
}
_MODEL = _leaves(
    "name base_model_id version display_name description input_token_limit output_token_limit "
    "supported_generation_methods thinking temperature max_temperature top_p top_k"
)
_EMBEDDING = _leaves("values shape")

GENERATED: Fields = {
    "candidates": _CANDIDATE,
    "prompt_feedback": {"block_reason": {}, "safety_ratings": _RATING},
    "usage_metadata": {
        **_leaves(
            "prompt_token_count cached_content_token_count candidates_token_count "
            "tool_use_prompt_token_count thoughts_token_count total_token_count service_tier"
        ),
        "prompt_tokens_details": _TOKENS,
        "cache_tokens_details": _TOKENS,
        "candidates_tokens_details": _TOKENS,
        "tool_use_prompt_tokens_details": _TOKENS,
    },
    **_leaves("model_version response_id create_time"),
    "model_status": ANY,
}

ANSWERS: dict[str, Fields] = {
    "generateContent": GENERATED,
    "streamGenerateContent": GENERATED,
    "countTokens": {
        **_leaves("total_tokens cached_content_token_count"),
        "prompt_tokens_details": _TOKENS,
        "cache_tokens_details": _TOKENS,
    },
    "embedContent": {"embedding": _EMBEDDING, "usage_metadata": ANY},
    "batchEmbedContents": {"embeddings": _EMBEDDING, "usage_metadata": ANY},
    "GetModel": _MODEL,
    "ListModels": {"models": _MODEL, "next_page_token": {}},
}
"""By method; those of models by the names of their calls."""

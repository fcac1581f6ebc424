"""The request messages of the API: which fields there are, and of which type.

Taken from the descriptors of google-ai-generativelanguage 0.12.1 (October 2026), the
package that Google generates from the protos of v1beta. Fields that google-genai 3.4.0
sends and those protos do not have are added as ``any``.

A type is a scalar's name, a message's or an enum's; ``[]T`` is a repeated field, ``{}T`` a
map from strings, ``any`` JSON that is taken as it is.
"""

from __future__ import annotations

PACKAGE = "type.googleapis.com/google.ai.generativelanguage.v1beta."

SCALARS = frozenset({"string", "bytes", "bool", "int32", "int64", "float", "double"})

MESSAGES: dict[str, dict[str, str]] = {
    "GenerateContentRequest": {
        "model": "string",
        "system_instruction": "Content",
        "contents": "[]Content",
        "tools": "[]Tool",
        "tool_config": "ToolConfig",
        "safety_settings": "[]SafetySetting",
        "generation_config": "GenerationConfig",
        "cached_content": "string",
        "continuation_token": "any",
        "labels": "any",
        "model_armor_config": "any",
        "service_tier": "ServiceTier",
        "store": "any",
    },
    "CountTokensRequest": {
        "model": "string",
        "contents": "[]Content",
        "generate_content_request": "GenerateContentRequest",
    },
    "EmbedContentRequest": {
        "model": "string",
        "content": "Content",
        "task_type": "TaskType",
        "title": "string",
        "output_dimensionality": "int32",
    },
    "BatchEmbedContentsRequest": {"model": "string", "requests": "[]EmbedContentRequest"},
    "Content": {"parts": "[]Part", "role": "string"},
    "Part": {
        "text": "string",
        "inline_data": "Blob",
        "function_call": "FunctionCall",
        "function_response": "FunctionResponse",
        "file_data": "FileData",
        "executable_code": "ExecutableCode",
        "code_execution_result": "CodeExecutionResult",
        "video_metadata": "VideoMetadata",
        "thought": "bool",
        "thought_signature": "bytes",
        "part_metadata": "any",
        "audio_metadata": "any",
        "audio_transcription": "any",
        "document_metadata": "any",
        "media_processing": "any",
        "media_resolution": "any",
        "speech_metadata": "any",
        "spreadsheet_metadata": "any",
        "tool_call": "any",
        "tool_response": "any",
    },
    "Blob": {"mime_type": "string", "data": "bytes", "display_name": "any"},
    "FileData": {"mime_type": "string", "file_uri": "string", "display_name": "any"},
    "FunctionCall": {"id": "string", "name": "string", "args": "any"},
    "FunctionResponse": {
        "id": "string",
        "name": "string",
        "response": "any",
        "parts": "any",
        "will_continue": "bool",
        "scheduling": "FunctionResponse.Scheduling",
    },
    "ExecutableCode": {"language": "ExecutableCode.Language", "code": "string", "id": "any"},
    "CodeExecutionResult": {
        "outcome": "CodeExecutionResult.Outcome",
        "output": "string",
        "id": "any",
    },
    "VideoMetadata": {
        "start_offset": "any",
        "end_offset": "any",
        "fps": "double",
        "content_layers": "any",
    },
    "Tool": {
        "function_declarations": "[]FunctionDeclaration",
        "google_search_retrieval": "GoogleSearchRetrieval",
        "code_execution": "any",
        "google_search": "any",
        "computer_use": "any",
        "url_context": "any",
        "file_search": "any",
        "google_maps": "any",
        "mcp_servers": "any",
    },
    "FunctionDeclaration": {
        "name": "string",
        "description": "string",
        "parameters": "Schema",
        "parameters_json_schema": "any",
        "response": "Schema",
        "response_json_schema": "any",
        "behavior": "FunctionDeclaration.Behavior",
    },
    # No additionalProperties: "Cannot find field", the best known of these errors.
    "Schema": {
        "type": "Type",
        "format": "string",
        "title": "string",
        "description": "string",
        "nullable": "bool",
        "enum": "[]string",
        "items": "Schema",
        "max_items": "int64",
        "min_items": "int64",
        "properties": "{}Schema",
        "required": "[]string",
        "min_properties": "int64",
        "max_properties": "int64",
        "minimum": "double",
        "maximum": "double",
        "min_length": "int64",
        "max_length": "int64",
        "pattern": "string",
        "example": "any",
        "any_of": "[]Schema",
        "property_ordering": "[]string",
        "default": "any",
    },
    "GoogleSearchRetrieval": {"dynamic_retrieval_config": "DynamicRetrievalConfig"},
    "DynamicRetrievalConfig": {
        "mode": "DynamicRetrievalConfig.Mode",
        "dynamic_threshold": "float",
    },
    "ToolConfig": {
        "function_calling_config": "FunctionCallingConfig",
        "retrieval_config": "any",
        "include_server_side_tool_invocations": "any",
    },
    "FunctionCallingConfig": {
        "mode": "FunctionCallingConfig.Mode",
        "allowed_function_names": "[]string",
    },
    "SafetySetting": {
        "category": "HarmCategory",
        "threshold": "SafetySetting.HarmBlockThreshold",
    },
    "GenerationConfig": {
        "candidate_count": "int32",
        "stop_sequences": "[]string",
        "max_output_tokens": "int32",
        "temperature": "float",
        "top_p": "float",
        "top_k": "int32",
        "seed": "int32",
        "response_mime_type": "string",
        "response_schema": "Schema",
        "response_json_schema": "any",
        "response_json_schema_ordered": "any",
        "presence_penalty": "float",
        "frequency_penalty": "float",
        "response_logprobs": "bool",
        "logprobs": "int32",
        "enable_enhanced_civic_answers": "bool",
        "response_modalities": "[]GenerationConfig.Modality",
        "speech_config": "any",
        "thinking_config": "ThinkingConfig",
        "image_config": "any",
        "media_resolution": "GenerationConfig.MediaResolution",
        "audio_timestamp": "any",
        "audio_transcription_config": "any",
        "enable_affective_dialog": "any",
        "response_format": "any",
        "translation_config": "any",
    },
    "ThinkingConfig": {
        "include_thoughts": "bool",
        "thinking_budget": "int32",
        "thinking_level": "ThinkingConfig.ThinkingLevel",
    },
}

ONEOFS: dict[str, dict[str, frozenset[str]]] = {
    "Part": {
        "data": frozenset(
            {
                "text",
                "inline_data",
                "function_call",
                "function_response",
                "file_data",
                "executable_code",
                "code_execution_result",
                "tool_call",
                "tool_response",
            }
        )
    }
}
"""Groups of fields of which one message holds one only."""

# A field that says whether it is there is a group of its own to protobuf's converter
# (type_resolver_util.cc).
OPTIONAL: dict[str, str] = {
    "GenerateContentRequest": "system_instruction generation_config cached_content",
    "EmbedContentRequest": "task_type title output_dimensionality",
    "FunctionCall": "args",
    "FunctionResponse": "scheduling",
    "FunctionDeclaration": "parameters parameters_json_schema response response_json_schema",
    "Schema": "items minimum maximum",
    "DynamicRetrievalConfig": "dynamic_threshold",
    "GenerationConfig": (
        "candidate_count max_output_tokens temperature top_p top_k seed presence_penalty "
        "frequency_penalty response_logprobs logprobs enable_enhanced_civic_answers "
        "speech_config thinking_config image_config media_resolution"
    ),
    "ThinkingConfig": "include_thoughts thinking_budget",
}

GROUPS: dict[str, dict[str, str]] = {
    name: {
        **{field: f"_{field}" for field in OPTIONAL.get(name, "").split()},
        **{field: group for group, fields in ONEOFS.get(name, {}).items() for field in fields},
    }
    for name in MESSAGES.keys() & (OPTIONAL.keys() | ONEOFS.keys())
}
"""By message and field, the group of which the field is one."""

ENUMS: dict[str, tuple[str, ...]] = {
    name: tuple(values.split())
    for name, values in {
        "Type": "TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL",
        "FunctionResponse.Scheduling": "SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT",
        "ExecutableCode.Language": "LANGUAGE_UNSPECIFIED PYTHON",
        "CodeExecutionResult.Outcome": (
            "OUTCOME_UNSPECIFIED OUTCOME_OK OUTCOME_FAILED OUTCOME_DEADLINE_EXCEEDED"
        ),
        "FunctionDeclaration.Behavior": "UNSPECIFIED BLOCKING NON_BLOCKING",
        "DynamicRetrievalConfig.Mode": "MODE_UNSPECIFIED MODE_DYNAMIC",
        "FunctionCallingConfig.Mode": "MODE_UNSPECIFIED AUTO ANY NONE VALIDATED",
        "HarmCategory": (
            "HARM_CATEGORY_UNSPECIFIED HARM_CATEGORY_DEROGATORY HARM_CATEGORY_TOXICITY "
            "HARM_CATEGORY_VIOLENCE HARM_CATEGORY_SEXUAL HARM_CATEGORY_MEDICAL "
            "HARM_CATEGORY_DANGEROUS HARM_CATEGORY_HARASSMENT HARM_CATEGORY_HATE_SPEECH "
            "HARM_CATEGORY_SEXUALLY_EXPLICIT HARM_CATEGORY_DANGEROUS_CONTENT "
            "HARM_CATEGORY_CIVIC_INTEGRITY"
        ),
        "SafetySetting.HarmBlockThreshold": (
            "HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE "
            "BLOCK_ONLY_HIGH BLOCK_NONE OFF"
        ),
        "GenerationConfig.Modality": "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO",
        "GenerationConfig.MediaResolution": (
            "MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW MEDIA_RESOLUTION_MEDIUM "
            "MEDIA_RESOLUTION_HIGH"
        ),
        "TaskType": (
            "TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY "
            "CLASSIFICATION CLUSTERING QUESTION_ANSWERING FACT_VERIFICATION "
            "CODE_RETRIEVAL_QUERY"
        ),
        "ThinkingConfig.ThinkingLevel": "THINKING_LEVEL_UNSPECIFIED LOW HIGH MEDIUM MINIMAL",
        # In lower case, so that upper case is refused (ai.google.dev/api/generate-content).
        "ServiceTier": "unspecified flex standard priority",
    }.items()
}
"""The values of each, in the order of their numbers, which begin with 0."""

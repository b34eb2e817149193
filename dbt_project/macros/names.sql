{# Schemas and files are named as they are asked for, without the target's name before them. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name if custom_schema_name else target.schema }}
{%- endmacro %}

{# The time of this build: what "now" means in every mart of it. #}
{% macro as_of() -%}
    '{{ run_started_at.isoformat() }}'::timestamptz
{%- endmacro %}

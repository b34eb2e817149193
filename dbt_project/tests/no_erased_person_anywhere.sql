-- Who was erased, merged away or taken back is in no mart.
{{ config(meta={'dagster': {'ref': {'name': 'dim_identity'}}}) }}
with gone as (
    select identity_id from {{ ref('stg_identities') }} where state not in ('visible', 'hidden')
)
select identity_id from {{ ref('dim_identity') }} semi join gone using (identity_id)
union all
select identity_id from {{ ref('fct_appearance') }} semi join gone using (identity_id)
union all
select identity_id from {{ ref('fct_identity_day') }} semi join gone using (identity_id)
union all
select identity_id from {{ ref('identity_stats') }} semi join gone using (identity_id)
union all
select identity_a from {{ ref('co_appearance') }}
where identity_a in (select identity_id from gone) or identity_b in (select identity_id from gone)

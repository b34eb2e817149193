{# The newest of these times is younger than so many days; an empty table says nothing. #}
{% test recent(model, column_name, days) %}
select newest
from (select max({{ column_name }}) as newest from {{ model }})
where newest < {{ as_of() }} - interval '{{ days }} days'
{% endtest %}

{# No two rows have all of these columns the same. #}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
group by all
having count(*) > 1
{% endtest %}

{# No value lies below. #}
{% test at_least(model, column_name, value) %}
select {{ column_name }} from {{ model }} where {{ column_name }} < {{ value }}
{% endtest %}

-- Characters are code points, a NUL among them. A page with several names shows all of them.
with names as (
    select page_h_id, array_to_string(array_sort(array_agg(distinct base64_text(name_h_id))), ', ') as names
    from post_meta_current
    group by page_h_id
),
pages_by_length as (
    select
        c.page_id,
        count(*) as texts,
        avg(cast(character_length(t.message) as decimal(20, 4))) as average_length
    from comments_current c
    join texts_current t on t.h_id = c.h_id
    group by c.page_id
),
ranked as (
    select page_id, texts, average_length, rank() over (order by average_length desc) as place from pages_by_length
)
select r.place, r.page_id, n.names as page, r.texts, r.average_length
from ranked r
left join names n on n.page_h_id = r.page_id
where r.place <= $top
order by r.place, r.page_id

-- Replies that are really there; what a comment says of itself (`comment_count`) may be another number.
with answered as (
    select parent_id, count(*) as replies from comments_current where parent_id is not null group by parent_id
),
ranked as (
    select
        c.h_id,
        c.post_id,
        c.page_id,
        c.comment_count as stated,
        a.replies,
        rank() over (order by a.replies desc) as place
    from answered a
    join comments_current c on c.h_id = a.parent_id
    where c.parent_id is null
),
names as (
    select page_h_id, array_to_string(array_sort(array_agg(distinct base64_text(name_h_id))), ', ') as names
    from post_meta_current
    group by page_h_id
)
select
    r.place,
    r.h_id as comment,
    r.replies,
    r.stated,
    n.names as page,
    r.post_id as post,
    m.post_h_id is not null as post_in_meta,
    t.message as text
from ranked r
left join names n on n.page_h_id = r.page_id
left join post_meta_current m on m.post_h_id = r.post_id
left join texts_current t on t.h_id = r.h_id
where r.place <= $top
order by r.place, r.h_id

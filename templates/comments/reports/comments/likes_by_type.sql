-- Comments on posts whose kind is known; the kinds are shown as they are.
select
    m.type,
    count(*) as comments,
    sum(c.up_likes) as likes,
    sum(case when c.parent_id is null then 1 else 0 end) as top_comments,
    sum(case when c.parent_id is null then 0 else 1 end) as replies
from comments_current c
join post_meta_current m on m.post_h_id = c.post_id
where c.created_time >= cast($after as date) + interval '1 day'
group by m.type
order by comments desc, m.type

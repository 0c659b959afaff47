with days as (
    select cast(created_time as date) as day, count(*) as comments
    from comments_current
    where parent_id is null
    group by 1
),
ranked as (
    select day, comments, rank() over (order by comments desc) as place from days
)
select place, day, comments from ranked where place <= $top order by place, day
